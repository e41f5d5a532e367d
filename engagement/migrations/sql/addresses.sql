-- Sets the individual address of members who registered with an invitation to their Telegram ID, where the profile has no
-- address and no other profile has this one. The trigger user_profiles_redirect updates pending messages.
UPDATE user_profiles p SET individual_jid = m.telegram_id
FROM community_members m
WHERE m.person_id = p.user_id AND p.individual_jid = '' AND m.deleted_at IS NULL AND m.erased_at IS NULL
    AND m.telegram_id ~ '^[1-9][0-9]{0,19}$'
    AND EXISTS (SELECT FROM community_invitations i WHERE i.accepted_by = m.member_id)
    AND NOT EXISTS (SELECT FROM user_profiles other WHERE other.individual_jid = m.telegram_id);
