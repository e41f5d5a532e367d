-- Of the tables of accounts, the site deletes addresses, factors, sessions, links to other providers and requirements.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON socialaccount_socialapp, role_requirements FROM missionsite_app;
        GRANT DELETE ON account_emailaddress, account_emailconfirmation, mfa_authenticator, usersessions_usersession,
            socialaccount_socialaccount, socialaccount_socialtoken TO missionsite_app;
    END IF;
END $$;
