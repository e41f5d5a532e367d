"""The permissions of every URL, one line each; a test compares them with the responses of the site.

A letter is a role:

    A Administrator         M Mission Manager    C Community Manager   E Engagement Operator
    F Fallback Reviewer     D Delivery Lead      U Auditor             S superuser
    N staff without a role  m member             i inactive staff      - no one logged in

Staff without a role of the back office, by their role in the project of the URLs:

    V viewer                W contributor        R reviewer            T maintainer
    O owner of its organization                  X no role; maintainer of another organization's project

and p, a reviewer of the project who is not staff and can only use the API.

A response is `ok` (a page, nothing changed), `done` (the database changed), `live` (server-sent events), `file` (a
streamed file), `to` (a redirect), `login` (a redirect to the log-in) or a status. `ok:AMS 403` means: a page for A, M
and S, and 403 for everyone else; the first match counts. On pages, m, p, i and - are redirected to the log-in unless
the line names them. HEAD responds like GET unless there is a third cell; every other method of a page is 405.

`@name` after a URL: the page of that object of tests/site/world.py, where the kind of object matters.
"""

ALL = "AMCEFDUSNVWRTOX"
ROLES = "AMCEFDUS"
# Roles in the project of the URLs, each including those after it: viewers, workers, deciders, maintainers.
LOOK = "AMFDUSVWRTO"
WORK = "AMFDSWRTO"
DECIDE = "AFSRTO"
MAINTAIN = "ASTO"
# People who see no project; the same with those who see only other projects.
NONE = "CEN"
NOT_ITS = f"{NONE}X"
# People who see client missions, and people who deliver them.
DECK = "AMDUS"
DELIVER = "ADS"
# Response of a project's page to people who do not see it: a redirect to the list.
GONE = f"to:{NOT_ITS}"

# --- Pages: URL, GET and HEAD, POST with valid form data (HEAD) ------------------------------------------

PAGES = f"""
                                                         | to:{ALL}mpi-          | to:{ALL}mpi-
admin/                                                   | ok:{ALL}             | ok:{ALL}
admin/favourites/                                        | ok:{ALL}             | 405
admin/favourites/mark/                                   | 405                  | to:{ALL}
admin/community-health/                                  | ok:{ROLES} 403       | 405
admin/views/save/                                        | 405                  | to:{ALL}
admin/views/<view>/delete/                               | 405                  | 404
admin/<app_label>/                                       | ok:{ROLES} 404       | ok:{ROLES} 404
admin/<url>                                              | 404                  | 404
admin/r/<content_type_id>/<object_id>/                   | 404                  | 404
admin/search/                                            | ok:{ALL}             | ok:{ALL}
admin/autocomplete/                                      | ok:{ROLES} 403       | 405
admin/jsi18n/                                            | ok:{ALL}             | 405
admin/login/                                             | to:{ALL} ok:mpi-      | to:{ALL}mpi-
admin/logout/                                            | 405 to:mpi-           | ok:{ALL} to:mpi-
admin/password_change/                                   | ok:{ALL}             | done:{ALL}
admin/password_change/done/                              | ok:{ALL}             | 405

# Roles: viewed by administrators and auditors, added and edited by administrators; built-in roles by no one.
admin/missionsite/role/                                  | ok:AUS 403           | ok:AUS 403
admin/missionsite/role/add/                              | ok:AS 403            | done:AS 403
admin/missionsite/role/<object_id>/                      | to:{ALL}             | to:{ALL}
admin/missionsite/role/<object_id>/change/               | ok:AUS 403           | done:AS 403
admin/missionsite/role/<object_id>/require-second-factor/ | ok:AS 403            | done:AS 403
admin/missionsite/role/<object_id>/allow-password-alone/ | ok:AS 403            | to:AS 403
admin/missionsite/role/<object_id>/change/ @kept role    | ok:AUS 403           | 403
admin/missionsite/role/<object_id>/history/              | ok:AUS 403           | ok:AUS 403
admin/missionsite/role/<object_id>/delete/               | 403                  | 403

# Background jobs.
admin/procrastinate/procrastinatejob/                    | ok:S 403             | ok:S 403
admin/procrastinate/procrastinatejob/add/                | 403                  | 403
admin/procrastinate/procrastinatejob/<object_id>/        | to:{ALL}             | to:{ALL}
admin/procrastinate/procrastinatejob/<object_id>/change/ | ok:S 403             | 403
admin/procrastinate/procrastinatejob/<object_id>/history/| ok:S 403             | ok:S 403
admin/procrastinate/procrastinatejob/<object_id>/delete/ | 403                  | 403

# Tokens: all staff for themselves; superusers see those of others.
admin/common/apitoken/                                   | ok:{ALL}             | ok:{ALL}
admin/common/apitoken/add/                               | ok:{ALL}             | done:{ALL}
admin/common/apitoken/<object_id>/                       | to:{ALL}             | to:{ALL}
admin/common/apitoken/<object_id>/change/                | ok:{ALL}             | 403
admin/common/apitoken/<object_id>/change/ @another's     | ok:S to              | 403
admin/common/apitoken/<object_id>/revoke/                | ok:{ALL}             | done:{ALL}
admin/common/apitoken/<object_id>/revoke/ @another's     | ok:S to              | done:S to
admin/common/apitoken/<object_id>/history/               | to:{ALL}             | to:{ALL}
admin/common/apitoken/<object_id>/delete/                | 403                  | 403

# Events: read-only.
admin/groups/event/                                      | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/event/add/                                  | 403                  | 403
admin/groups/event/<object_id>/                          | to:{ALL}             | to:{ALL}
admin/groups/event/<object_id>/change/                   | ok:{ROLES} 403       | 403
admin/groups/event/<object_id>/history/                  | to:{ALL}             | to:{ALL}
admin/groups/event/<object_id>/delete/                   | 403                  | 403

# Memberships: added by those who manage missions or members; never edited.
admin/groups/membership/                                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/membership/add/                             | ok:AMCS 403          | done:AMCS 403
admin/groups/membership/<object_id>/                     | to:{ALL}             | to:{ALL}
admin/groups/membership/<object_id>/change/              | ok:{ROLES} 403       | 403
admin/groups/membership/<object_id>/leave/               | ok:AMCS 403          | done:AMCS 403
admin/groups/membership/<object_id>/role/                | ok:AMCS 403          | done:AMCS 403
admin/groups/membership/<object_id>/rejoin/              | ok:AMCS 403          | done:AMCS 403
admin/groups/membership/<object_id>/history/             | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/membership/<object_id>/history/<entry>/revert/ | ok:AMCS 403       | done:AMCS 403
admin/groups/membership/<object_id>/delete/              | 403                  | 403
admin/groups/joinrequest/                                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/joinrequest/add/                            | ok:AMCS 403          | done:AMCS 403
admin/groups/joinrequest/<object_id>/                    | to:{ALL}             | to:{ALL}
admin/groups/joinrequest/<object_id>/change/             | ok:{ROLES} 403       | 403
admin/groups/joinrequest/<object_id>/accept/             | ok:AMCS 403          | done:AMCS 403
admin/groups/joinrequest/<object_id>/decline/            | ok:AMCS 403          | done:AMCS 403
admin/groups/joinrequest/<object_id>/withdraw/           | ok:AMCS 403          | done:AMCS 403
admin/groups/joinrequest/<object_id>/history/            | to:{ALL}             | to:{ALL}
admin/groups/joinrequest/<object_id>/delete/             | 403                  | 403

# Missions: added and archived by mission managers; edited by delivery leads too.
admin/groups/mission/                                    | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/add/                                | ok:AMS 403           | done:AMS 403
admin/groups/mission/<object_id>/                        | to:{ALL}             | to:{ALL}
admin/groups/mission/<object_id>/change/                 | ok:{ROLES} 403       | done:AMDS 403
admin/groups/mission/bulk-edit/                          | ok:AMDS 403          | ok:AMDS 403
admin/groups/mission/<object_id>/add-member/             | ok:AMCS 403          | done:AMCS 403
admin/groups/mission/<object_id>/invite-member/          | ok:AMCS 403          | done:AMCS 403
admin/groups/mission/<object_id>/join-requests/          | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/archive/                | ok:AMS 403           | done:AMS 403
admin/groups/mission/<object_id>/restore/                | ok:AMS 403           | done:AMS 403
admin/groups/mission/<object_id>/members/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/former-members/         | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/tasks/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/events/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/history/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/history/<entry>/revert/ | ok:AMDS 403          | done:AMDS 403
admin/groups/mission/<object_id>/history/<entry>/revert/ @archived mission | ok:AMS 403 | done:AMS 403
admin/groups/mission/<object_id>/notes/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/tags/                   | ok:AMDS 403          | done:AMDS 403
admin/groups/mission/<object_id>/note/                   | ok:AMDS 403          | done:AMDS 403
admin/groups/mission/<object_id>/custom-fields/          | ok:AMDS 403          | done:AMDS 403
admin/groups/mission/<object_id>/notes/<note_id>/remove/ | 405                  | done:AS to:MD 403
admin/groups/mission/<object_id>/delete/                 | 403                  | 403

# Colonies: added by administrators.
admin/groups/colony/                                     | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/add/                                 | ok:AS 403            | done:AS 403
admin/groups/colony/<object_id>/                         | to:{ALL}             | to:{ALL}
admin/groups/colony/<object_id>/change/                  | ok:{ROLES} 403       | done:AMS 403
admin/groups/colony/bulk-edit/                           | ok:AMS 403           | ok:AMS 403
admin/groups/colony/<object_id>/add-member/              | ok:AMCS 403          | done:AMCS 403
admin/groups/colony/<object_id>/archive/                 | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/restore/                 | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/missions/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/members/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/former-members/          | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/events/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/history/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/history/<entry>/revert/  | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/notes/                   | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/tags/                    | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/note/                    | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/notes/<note_id>/remove/  | 405                  | done:AS to:M 403
admin/groups/colony/<object_id>/delete/                  | 403                  | 403

# Groups, for the pickers: redirects to the page of the colony or mission.
admin/groups/group/                                      | to:{ALL}             | to:{ALL}
admin/groups/group/<object_id>/change/                   | to:{ALL}             | to:{ALL}

# Members: edited by administrators and community managers; staff with permissions by administrators only.
admin/groups/member/                                     | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/add/                                 | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/                         | to:{ALL}             | to:{ALL}
admin/groups/member/<object_id>/change/                  | ok:{ROLES} 403       | done:ACS 403
admin/groups/member/bulk-edit/                           | ok:ACS 403           | ok:ACS 403
admin/groups/member/<object_id>/change/ @colleague       | ok:{ROLES} 403       | done:AS 403
admin/groups/member/<object_id>/change/ @administrator   | ok:{ROLES} 403       | done:S 403
admin/groups/member/<object_id>/view-as/                 | ok:AS 403            | to:AS 403
admin/groups/member/<object_id>/view-as/ @administrator  | ok:S 403             | to:S 403
admin/groups/member/<object_id>/add-to-mission/          | ok:AMCS 403          | done:AMCS 403
admin/groups/member/<object_id>/password/                | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/password/ @colleague     | ok:AS 403            | done:AS 403
admin/groups/member/<object_id>/password/ @administrator | ok:S 403             | done:S 403
admin/groups/member/<object_id>/deactivate/              | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/deactivate/ @colleague   | ok:AS 403            | done:AS 403
admin/groups/member/<object_id>/deactivate/ @administrator | ok:S 403           | done:S 403
admin/groups/member/<object_id>/activate/                | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/memberships/             | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/overview/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/timeline/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/rights/                  | ok:AUS 403           | ok:AUS 403
admin/groups/member/<object_id>/tasks/                   | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/events/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/history/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/history/<entry>/revert/  | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/history/<entry>/revert/ @colleague            | ok:AS 403  | done:AS 403
admin/groups/member/<object_id>/history/<entry>/revert/ @former colleague     | ok:AS 403  | done:AS 403
admin/groups/member/<object_id>/history/<entry>/revert/ @former administrator | ok:S 403   | done:S 403
admin/groups/member/<object_id>/notes/                   | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/tags/                    | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/note/                    | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/custom-fields/           | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/notes/<note_id>/remove/  | 405                  | done:AS to:C 403
admin/groups/member/<object_id>/delete/                  | 403                  | 403

# Tasks: edited by mission managers, reviewers and delivery leads.
admin/groups/task/                                       | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/task/add/                                   | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/                           | to:{ALL}             | to:{ALL}
admin/groups/task/<object_id>/change/                    | ok:{ROLES} 403       | done:AMFDS 403
admin/groups/task/bulk-edit/                             | ok:AMFDS 403         | ok:AMFDS 403
admin/groups/task/<object_id>/claim/                     | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/complete/                  | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/reopen/                    | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/cancel/                    | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/history/                   | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/task/<object_id>/history/<entry>/revert/    | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/delete/                    | 403                  | 403

# The security log: read by administrators and auditors, changed by no one.
admin/common/auditentry/                                 | ok:AUS 403           | ok:AUS 403
admin/common/auditentry/export/                          | file:AUS 403         | file:AUS 403
admin/common/auditentry/add/                             | 403                  | 403
admin/common/auditentry/<object_id>/                     | to:{ALL}             | to:{ALL}
admin/common/auditentry/<object_id>/change/              | ok:AUS 403           | 403
admin/common/auditentry/<object_id>/history/             | to:{ALL}             | to:{ALL}
admin/common/auditentry/<object_id>/delete/              | 403                  | 403
admin/common/retentionrun/                               | ok:AUS 403           | ok:AUS 403
admin/common/retentionrun/rules/                         | ok:AUS 403           | ok:AUS 403
admin/common/retentionrun/rules/<rule>/run/              | 405                  | done:AS 403
admin/common/retentionrun/add/                           | 403                  | 403
admin/common/retentionrun/<object_id>/                   | to:{ALL}             | to:{ALL}
admin/common/retentionrun/<object_id>/change/            | ok:AUS 403           | 403
admin/common/retentionrun/<object_id>/history/           | to:{ALL}             | to:{ALL}
admin/common/retentionrun/<object_id>/delete/            | 403                  | 403
# Bulk edits: all staff see their own, administrators and auditors all.
admin/common/bulkedit/                                   | ok:{ALL}             | ok:{ALL}
admin/common/bulkedit/add/                               | 403                  | 403
admin/common/bulkedit/<object_id>/                       | to:{ALL}             | to:{ALL}
admin/common/bulkedit/<object_id>/change/                | ok:AUS to            | 403
admin/common/bulkedit/<object_id>/log/                   | ok:AUS to            | ok:AUS to
admin/common/bulkedit/<object_id>/cancel/                | ok:S 403:AU to       | done:S 403:AU to
admin/common/bulkedit/<object_id>/undo/                  | ok:S 403:AU to       | ok:S 403:AU to
admin/common/bulkedit/<object_id>/history/               | to:{ALL}             | to:{ALL}
admin/common/bulkedit/<object_id>/delete/                | 403                  | 403
admin/common/securityevent/                              | ok:AUS 403           | ok:AUS 403
admin/common/securityevent/export/                       | file:AUS 403         | file:AUS 403
admin/common/securityevent/add/                          | 403                  | 403
admin/common/securityevent/<object_id>/                  | to:{ALL}             | to:{ALL}
admin/common/securityevent/<object_id>/change/           | ok:AUS 403           | 403
admin/common/securityevent/<object_id>/history/          | to:{ALL}             | to:{ALL}
admin/common/securityevent/<object_id>/delete/           | 403                  | 403

# --- Accounts: each member's own log-in, factors and sessions ---------------------------------------
# No one of them has a factor; all have just logged in, so that no page asks for the password.
account/login/                                           | to:{ALL}mp ok:i-      | to:{ALL}mp ok:i-
account/logout/                                          | 405:{ALL}mpi-         | to:{ALL}mpi-
account/signup/                                          | to:{ALL}mpi-          | to:{ALL}mpi-
account/signup/social/                                   | to:{ALL}mpi-          | to:{ALL}mpi-
account/inactive/                                        | ok:{ALL}mpi-          | 405:{ALL}mpi-
account/reauthenticate/                                  | ok:{ALL}mp to:i-      | ok:{ALL}mp to:i-
account/log-in-again/                                    | ok:{ALL}mp to:i-      | to:{ALL}mpi-
account/email/                                           | ok:{ALL}mp to:i-      | to:{ALL}mpi-
account/confirm-email/                                   | ok:{ALL}mpi-          | 405:{ALL}mpi-
account/confirm-email/<key>/                             | ok:{ALL}mpi-          | 404:{ALL}mpi-
account/password/change/                                 | to:{ALL}mpi-          | to:{ALL}mpi-
account/password/set/                                    | to:{ALL}mpi-          | to:{ALL}mpi-
account/password/reset/                                  | ok:{ALL}mpi-          | ok:{ALL}mpi-
account/password/reset/done/                             | ok:{ALL}mpi-          | 405:{ALL}mpi-
account/password/reset/key/<uidb36>-<key>/               | ok:{ALL}mpi-          | ok:{ALL}mpi-
account/password/reset/key/done/                         | ok:{ALL}mpi-          | 405:{ALL}mpi-
account/2fa/                                             | ok:{ALL}mp to:i-      | 405:{ALL}mp to:i-
account/2fa/authenticate/                                | to:{ALL}mpi-          | to:{ALL}mpi-
account/2fa/reauthenticate/                              | to:{ALL}mpi-          | to:{ALL}mpi-
account/2fa/totp/activate/                               | ok:{ALL}mp to:i-      | ok:{ALL}mp to:i-
account/2fa/totp/deactivate/                             | 404:{ALL}mp to:i-     | 404:{ALL}mp to:i-
account/2fa/recovery-codes/                              | 404:{ALL}mp to:i-     | 405:{ALL}mp to:i-
account/2fa/recovery-codes/generate/                     | ok:{ALL}mp to:i-      | ok:{ALL}mp to:i-
account/2fa/recovery-codes/download/                     | 404:{ALL}mp to:i-     | 404:{ALL}mp to:i-
account/2fa/webauthn/                                    | ok:{ALL}mp to:i-      | 405:{ALL}mp to:i-
account/2fa/webauthn/add/                                | ok:{ALL}mp to:i-      | ok:{ALL}mp to:i-
account/2fa/webauthn/login/                              | to:{ALL}mpi-          | to:{ALL}mpi-
account/2fa/webauthn/reauthenticate/                     | to:{ALL}mpi-          | to:{ALL}mpi-
account/2fa/webauthn/keys/<pk>/remove/                   | 404:{ALL}mp to:i-     | 404:{ALL}mp to:i-
account/2fa/webauthn/keys/<pk>/edit/                     | 404:{ALL}mp to:i-     | 404:{ALL}mp to:i-
account/sessions/                                        | ok:{ALL}mp to:i-      | to:{ALL}mpi-
account/providers/                                       | ok:{ALL}mp to:i-      | ok:{ALL}mp to:i-
account/providers/cancelled/                             | ok:{ALL}mpi-          | 405:{ALL}mpi-
account/providers/error/                                 | 401:{ALL}mpi-         | 405:{ALL}mpi-
account/github/login/                                    | 404:{ALL}mpi-         | 404:{ALL}mpi-
account/github/login/callback/                           | 404:{ALL}mpi-         | 404:{ALL}mpi-
account/oidc/<provider_id>/login/                        | 404:{ALL}mpi-         | 404:{ALL}mpi-
account/oidc/<provider_id>/login/callback/               | 404:{ALL}mpi-         | 404:{ALL}mpi-

# --- Registration and members' pages ---------------------------------------------------------------
# Logged-in people are registered already. Three of the staff and the member are active in the directory.
join/                                                    | to:{ALL}mp ok:i-      | to:{ALL}mpi-
join/<code>/                                             | to:{ALL}mp ok:i-      | to:{ALL}mp done:i-
return/<secret>/                                         | 404:{ALL}mpi-         | 404:{ALL}mpi-
login/                                                   | to:{ALL}mp ok:i-      | to:{ALL}mpi-
logout/                                                  | 405:{ALL}mpi-         | to:{ALL}mpi-
language/                                                | 405:{ALL}mpi-         | to:{ALL}mpi-
me/                                                      | ok:{ALL}mp to:i-      | 405:{ALL}mp to:i-
me/edit/                                                 | ok:ACSm to:{ALL}pi-   | done:ACSm to:{ALL}pi-
me/messages/                                             | ok:{ALL}mp to:i-      | done:{ALL}mp to:i-
me/data/                                                 | ok:{ALL}mp to:i-      | done:{ALL}mp to:i-
me/data/<job>/                                           | to:{ALL}mpi-          | 405:{ALL}mp to:i-
me/messages/zone/                                        | 405:{ALL}mp to:i-     | done:{ALL}mp to:i-
me/password/                                             | ok:{ALL}mp to:i-      | done:{ALL}mp to:i-
me/missions/                                             | ok:{ALL}mp to:i-      | 405:{ALL}mp to:i-
me/missions/<mission_id>/                                | ok:{ALL}mp to:i-      | 405:{ALL}mp to:i-
me/missions/<mission_id>/join/                           | 405:{ALL}mp to:i-     | done:{ALL}mp to:i-
me/missions/<mission_id>/ask/                            | 405:{ALL}mp to:i-     | done:{ALL}mp to:i-
me/missions/<mission_id>/wait/                           | 405:{ALL}mp to:i-     | done:{ALL}mp to:i-
me/missions/<mission_id>/request/<action>/               | 405:{ALL}mp to:i-     | done:{ALL}mp to:i-
me/missions/<mission_id>/leave/                          | 405:{ALL}mp to:i-     | done:{ALL}mp to:i-
me/missions/<mission_id>/tasks/<task_id>/<action>/       | 405:{ALL}mp to:i-     | done:{ALL}mp to:i-
directory/                                               | ok:ACSm 403:{ALL}p to:i- | 405:{ALL}mp to:i-
directory/<number>/                                      | ok:ACSm 403:{ALL}p to:i- | 405:{ALL}mp to:i-

# The directory: edited by administrators and community managers; erasure by administrators only.
admin/groups/communitymember/                            | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communitymember/add/                        | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/import/                     | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/import/<changeset>/undo/    | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/export/                     | file:ACS 403         | file:ACS 403
admin/groups/communitymember/<object_id>/                | to:{ALL}             | to:{ALL}
admin/groups/communitymember/<object_id>/change/         | ok:{ROLES} 403       | done:ACS 403
admin/groups/communitymember/bulk-edit/                  | ok:ACS 403           | ok:ACS 403
admin/groups/communitymember/<object_id>/change/ @removed entry | ok:{ROLES} 403 | 403
admin/groups/communitymember/<object_id>/approve/        | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/suspend/        | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/reinstate/      | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/ban/            | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/verify/         | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/verify-manually/| ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/remove/         | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/restore/        | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/erase/          | ok:AS 403            | done:AS 403
admin/groups/communitymember/<object_id>/participation/  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communitymember/<object_id>/invitations/    | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communitymember/<object_id>/tree/           | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communitymember/<object_id>/events/         | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communitymember/<object_id>/notes/          | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communitymember/<object_id>/tags/           | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/note/           | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/custom-fields/  | ok:ACS 403           | done:ACS 403
admin/groups/communitymember/<object_id>/notes/<note_id>/remove/| 405                  | done:AS to:C 403
admin/groups/communitymember/<object_id>/history/        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communitymember/<object_id>/history/<entry>/revert/ | ok:ACS 403   | done:ACS 403
admin/groups/communitymember/<object_id>/history/<entry>/revert/ @suspended entry | 403 | 403
admin/groups/communitymember/<object_id>/delete/         | 403                  | 403

# The export of memberships has names and e-mails.
admin/groups/membership/export/                          | file:ACS 403         | file:ACS 403
admin/groups/membership/import/                          | ok:AMCS 403          | done:AMCS 403
admin/groups/membership/import/<changeset>/undo/         | ok:AMCS 403          | done:AMCS 403

# Duplicates: found, compared and merged by administrators and community managers.
admin/groups/communitymember/<object_id>/merge/          | ok:ACS 403           | to:ACS 403
admin/groups/communitymember/<object_id>/merges/         | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/merge/                   | ok:ACS 403           | to:ACS 403
admin/groups/member/<object_id>/merges/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/possibleduplicate/                          | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/possibleduplicate/find/                     | ok:ACS 403           | done:ACS 403
admin/groups/possibleduplicate/compare/                  | ok:ACS 403           | done:ACS 403
admin/groups/possibleduplicate/merges/<merge>/undo/      | 405                  | done:ACS 403
admin/groups/possibleduplicate/add/                      | 403                  | 403
admin/groups/possibleduplicate/<object_id>/              | to:{ALL}             | to:{ALL}
admin/groups/possibleduplicate/<object_id>/change/       | ok:{ROLES} 403       | 403
admin/groups/possibleduplicate/<object_id>/not-same/     | ok:ACS 403           | done:ACS 403
admin/groups/possibleduplicate/<object_id>/reopen/       | ok:ACS 403           | done:ACS 403
admin/groups/possibleduplicate/<object_id>/history/      | to:{ALL}             | to:{ALL}
admin/groups/possibleduplicate/<object_id>/delete/       | 403                  | 403

# Returning people: confirmed or declined by those who approve members; a confirmation asks for the identity.
admin/groups/communityreturn/                            | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communityreturn/add/                        | 403                  | 403
admin/groups/communityreturn/<object_id>/                | to:{ALL}             | to:{ALL}
admin/groups/communityreturn/<object_id>/change/         | ok:{ROLES} 403       | 403
admin/groups/communityreturn/<object_id>/confirm/        | ok:ACS 403           | done:ACS 403
admin/groups/communityreturn/<object_id>/decline/        | ok:ACS 403           | done:ACS 403
admin/groups/communityreturn/<object_id>/history/        | to:{ALL}             | to:{ALL}
admin/groups/communityreturn/<object_id>/delete/         | 403                  | 403

# Jobs on people, and links to set a password.
admin/groups/peoplejob/                                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/peoplejob/add/                              | 403                  | 403
admin/groups/peoplejob/<object_id>/                      | to:{ALL}             | to:{ALL}
admin/groups/peoplejob/<object_id>/change/               | ok:{ROLES} 403       | 403
admin/groups/peoplejob/<object_id>/approve/              | ok:ACS 403           | done:ACS 403
admin/groups/peoplejob/<job>/report/                     | 404:ACS 403          | 404:ACS 403
admin/groups/peoplejob/<object_id>/cancel/               | ok:ACS 403           | done:ACS 403
admin/groups/peoplejob/<object_id>/history/              | to:{ALL}             | to:{ALL}
admin/groups/peoplejob/<object_id>/delete/               | 403                  | 403
admin/groups/member/password-links/                      | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/password-link/           | ok:ACS 403           | done:ACS 403

# Invitations: created and canceled, never edited.
admin/groups/communityinvitation/                        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communityinvitation/add/                    | ok:ACS 403           | done:ACS 403
admin/groups/communityinvitation/many/                   | ok:ACS 403           | done:ACS 403
admin/groups/communityinvitation/send/                   | 405                  | done:ACS 403
admin/groups/communityinvitation/hand-out/               | 405                  | ok:ACS 403
admin/groups/communityinvitation/<object_id>/            | to:{ALL}             | to:{ALL}
admin/groups/communityinvitation/<object_id>/change/     | ok:{ROLES} 403       | 403
admin/groups/communityinvitation/<object_id>/cancel/     | ok:ACS 403           | done:ACS 403
admin/groups/communityinvitation/<object_id>/new-code/   | ok:ACS 403           | done:ACS 403
admin/groups/communityinvitation/<object_id>/send/       | ok:ACS 403           | done:ACS 403
admin/groups/communityinvitation/<object_id>/edit/       | ok:ACS 403           | done:ACS 403
admin/groups/communityinvitation/<object_id>/registrations/ | ok:{ROLES} 403    | ok:{ROLES} 403
admin/groups/communityinvitation/<object_id>/history/    | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/communityinvitation/<object_id>/history/<entry>/revert/ | 403      | 403
admin/groups/communityinvitation/<object_id>/delete/     | 403                  | 403

# Relationships: added, never edited. Participation: read-only.
admin/groups/tag/                                        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/tag/add/                                    | ok:AMCS 403          | done:AMCS 403
admin/groups/tag/<object_id>/                            | to:{ALL}             | to:{ALL}
admin/groups/tag/<object_id>/change/                     | ok:{ROLES} 403       | done:AMCS 403
admin/groups/tag/<object_id>/delete-tag/                 | ok:AMCS 403          | done:AMCS 403
admin/groups/tag/<object_id>/history/                    | to:{ALL}             | to:{ALL}
admin/groups/tag/<object_id>/delete/                     | 403                  | 403
admin/groups/customfield/                                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/customfield/add/                            | ok:AS 403            | done:AS 403
admin/groups/customfield/bulk-edit/                      | ok:AS 403            | ok:AS 403
admin/groups/customfield/<object_id>/                    | to:{ALL}             | to:{ALL}
admin/groups/customfield/<object_id>/change/             | ok:{ROLES} 403       | done:AS 403
admin/groups/customfield/<object_id>/history/            | to:{ALL}             | to:{ALL}
admin/groups/customfield/<object_id>/delete/             | 403                  | 403
admin/groups/memberrelationship/                         | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/memberrelationship/add/                     | ok:ACS 403           | done:ACS 403
admin/groups/memberrelationship/<object_id>/             | to:{ALL}             | to:{ALL}
admin/groups/memberrelationship/<object_id>/change/      | ok:{ROLES} 403       | 403
admin/groups/memberrelationship/<object_id>/history/     | to:{ALL}             | to:{ALL}
admin/groups/memberrelationship/<object_id>/delete/      | 403                  | 403
admin/groups/memberparticipation/                        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/memberparticipation/add/                    | 403                  | 403
admin/groups/memberparticipation/<object_id>/            | to:{ALL}             | to:{ALL}
admin/groups/memberparticipation/<object_id>/change/     | ok:{ROLES} 403       | 403
admin/groups/memberparticipation/<object_id>/history/    | to:{ALL}             | to:{ALL}
admin/groups/memberparticipation/<object_id>/delete/     | 403                  | 403

# --- Projects -------------------------------------------------------------------------------------
# A project that is not visible does not exist: its page redirects to the list, board and buttons respond with 404.

# Organizations: added by administrators, maintained by their owners too.
admin/fallback/organization/                             | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/organization/add/                         | ok:AS 403            | done:AS 403
admin/fallback/organization/<object_id>/                 | to:{ALL}             | to:{ALL}
admin/fallback/organization/<object_id>/change/          | ok:{LOOK} to:X 403   | done:ASO to:X 403
admin/fallback/organization/bulk-edit/                   | ok:ASO to:XT 403    | ok:ASO to:XT 403
admin/fallback/organization/<object_id>/set-role/        | ok:ASO {GONE} 403 | done:ASO {GONE} 403
admin/fallback/organization/<object_id>/notification-defaults/ | ok:ASO {GONE} 403 | done:ASO {GONE} 403
admin/fallback/organization/<object_id>/webhook-secret/ | ok:ASO {GONE} 403 | done:ASO {GONE} 403
admin/fallback/organization/<object_id>/projects/        | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/organization/<object_id>/people/          | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/organization/<object_id>/activity/        | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/organization/<object_id>/history/         | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/organization/<object_id>/delete/          | 403                  | 403

# Projects: added by those who maintain the whole organization.
admin/fallback/project/                                  | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/project/add/                              | ok:ASO 403           | done:ASO 403
admin/fallback/project/<object_id>/                      | to:{ALL}             | to:{ALL}
admin/fallback/project/<object_id>/change/               | ok:{LOOK} to:X 403   | done:{MAINTAIN} to:X 403
admin/fallback/project/bulk-edit/                        | ok:{MAINTAIN}X 403   | ok:{MAINTAIN}X 403
admin/fallback/project/<object_id>/set-role/             | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/project/<object_id>/remove-member/        | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/project/<object_id>/request-access/       | ok:{LOOK} {GONE} 403 | ok:{MAINTAIN} done:{LOOK} {GONE} 403
admin/fallback/project/<object_id>/archive/              | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/project/<object_id>/restore/              | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/project/<object_id>/star/                 | ok:{LOOK} {GONE} 403 | done:{LOOK} {GONE} 403
admin/fallback/project/<object_id>/unstar/               | to:{NOT_ITS} 403     | to:{NOT_ITS} 403
admin/fallback/project/<object_id>/people/               | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/project/<object_id>/repositories/         | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/project/<object_id>/flows/                | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/project/<object_id>/actors/               | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/project/<object_id>/activity/             | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/project/<object_id>/history/              | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/project/<object_id>/delete/               | 403                  | 403
admin/fallback/project/inbox/                            | ok:{ALL}             | ok:{ALL}
admin/fallback/project/inbox/unread/                     | ok:{ALL}             | 405                  | 405
admin/fallback/project/inbox/read/                       | 405                  | to:{ALL}
admin/fallback/project/inbox/snooze/                     | 405                  | to:{ALL}
admin/fallback/project/inbox/settings/                   | ok:{ALL}             | done:{ALL}
admin/fallback/project/inbox/absences/                   | ok:{ALL}             | done:{ALL}
admin/fallback/project/inbox/absences/<absence_id>/end/  | 405                  | done:AS 404
admin/fallback/project/inbox/hand-over/                  | ok:{MAINTAIN}X 403   | to:{MAINTAIN}X 403
admin/fallback/project/inbox/starred/                    | ok:{ALL}             | ok:{ALL}
admin/fallback/project/inbox/starred/remove/             | 405                  | 404
admin/fallback/project/inbox/<request_id>/decide/        | 405                  | done:{MAINTAIN} to:{LOOK} 404
admin/fallback/project/metrics/                          | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/project/<project_id>/metrics/             | ok:{LOOK} 404:X 403  | ok:{LOOK} 404:X 403
admin/fallback/project/<project_id>/board/               | ok:{LOOK} 404:X 403  | ok:{LOOK} 404:X 403
admin/fallback/project/<project_id>/board/events/ | live:{LOOK} 404:X 403 | 405:{LOOK} 404:X 403 | 405:{LOOK} 404:X 403

# Missions of a board.
admin/fallback/mission/                                  | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/mission/add/                              | ok:{WORK}X 403       | done:{WORK} ok:X 403
admin/fallback/mission/<object_id>/                      | to:{ALL}             | to:{ALL}
admin/fallback/mission/<object_id>/change/               | ok:{LOOK} to:X 403   | done:{WORK} to:X 403
admin/fallback/mission/bulk-edit/                        | ok:{WORK} to:X 403   | ok:{WORK} to:X 403
admin/fallback/mission/<object_id>/move/                 | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/make-ready/           | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/make-not-ready/       | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/review/               | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/add-dependency/       | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/remove-dependency/    | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/assign/               | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/star/                 | ok:{LOOK} {GONE} 403 | done:{LOOK} {GONE} 403
admin/fallback/mission/<object_id>/unstar/               | to:{NOT_ITS} 403     | to:{NOT_ITS} 403
admin/fallback/mission/<object_id>/timeline/             | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/mission/<object_id>/dependencies/         | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/mission/<object_id>/history/              | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/mission/<object_id>/delete/               | 403                  | 403
admin/fallback/mission/<object_id>/pull-requests/        | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/mission/<object_id>/link-pull-request/    | ok:{WORK} {GONE} 403 | done:{WORK} {GONE} 403
admin/fallback/mission/<object_id>/agents/               | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/mission/<object_id>/documents/            | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/mission/<mission_id>/document/            | 405                  | done:{WORK} 403:{LOOK} 404
admin/fallback/mission/document/<version_id>/remove/     | 405                  | done:{MAINTAIN} to:{LOOK} 404
admin/fallback/mission/<object_id>/comments/             | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/mission/<mission_id>/comment/             | 405                  | done:{WORK} to:{LOOK} 404
admin/fallback/mission/comment/<comment_id>/edit/        | 405                  | to:{LOOK} 404
admin/fallback/mission/comment/<comment_id>/remove/      | 405                  | done:{MAINTAIN} to:{LOOK} 404
admin/fallback/mission/similar/                          | ok:{ALL}             | 405                  | 405
admin/fallback/mission/<mission_id>/position/            | 405                  | done:{WORK} to:{LOOK} 404
admin/fallback/mission/<mission_id>/ready/               | 405                  | done:{WORK} to:{LOOK} 404

# Workstations: daemons write them by the API.
admin/fallback/workstation/                              | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/workstation/add/                          | 403                  | 403
admin/fallback/workstation/<object_id>/                  | to:{ALL}             | to:{ALL}
admin/fallback/workstation/<object_id>/change/           | ok:{LOOK} to:X 403   | 403
admin/fallback/workstation/<object_id>/agents/           | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/workstation/<object_id>/projects/         | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/workstation/<object_id>/clones/           | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/workstation/<object_id>/worktrees/        | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/workstation/<object_id>/sessions/         | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/workstation/<object_id>/history/          | to:{ALL}             | to:{ALL}
admin/fallback/workstation/<object_id>/delete/           | 403                  | 403

# Flows, personas, repositories, templates and configurations: edited by maintainers.
admin/fallback/flow/                                     | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/flow/add/                                 | ok:{MAINTAIN}X 403   | done:{MAINTAIN} ok:X 403
admin/fallback/flow/<object_id>/                         | to:{ALL}             | to:{ALL}
admin/fallback/flow/<object_id>/change/                  | ok:{LOOK} to:X 403   | done:{MAINTAIN} to:X 403
admin/fallback/flow/bulk-edit/                           | ok:{MAINTAIN} to:X 403| ok:{MAINTAIN} to:X 403
admin/fallback/flow/<object_id>/history/                 | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/flow/<object_id>/delete/                  | 403                  | 403
admin/fallback/actor/                                    | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/actor/add/                                | ok:{MAINTAIN}X 403   | done:{MAINTAIN} ok:X 403
admin/fallback/actor/<object_id>/                        | to:{ALL}             | to:{ALL}
admin/fallback/actor/<object_id>/change/                 | ok:{LOOK} to:X 403   | done:{MAINTAIN} to:X 403
admin/fallback/actor/bulk-edit/                          | ok:{MAINTAIN}X 403   | ok:{MAINTAIN}X 403
admin/fallback/actor/<object_id>/history/                | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/actor/<object_id>/delete/                 | 403                  | 403
admin/fallback/projectrepository/                        | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/projectrepository/add/                    | ok:{MAINTAIN}X 403   | done:{MAINTAIN} ok:X 403
admin/fallback/projectrepository/<object_id>/            | to:{ALL}             | to:{ALL}
admin/fallback/projectrepository/<object_id>/change/     | ok:{LOOK} to:X 403   | done:{MAINTAIN} to:X 403
admin/fallback/projectrepository/bulk-edit/              | ok:{MAINTAIN}X 403   | ok:{MAINTAIN}X 403
admin/fallback/projectrepository/<object_id>/history/    | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/projectrepository/<object_id>/delete/     | 403                  | 403
admin/fallback/missionfallbacktemplate/                  | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/missionfallbacktemplate/add/              | ok:{MAINTAIN}X 403   | done:{MAINTAIN} ok:X 403
admin/fallback/missionfallbacktemplate/<object_id>/      | to:{ALL}             | to:{ALL}
admin/fallback/missionfallbacktemplate/<object_id>/change/ | ok:{LOOK} to:X 403 | done:{MAINTAIN} to:X 403
admin/fallback/missionfallbacktemplate/bulk-edit/        | ok:{MAINTAIN}X 403   | ok:{MAINTAIN}X 403
admin/fallback/missionfallbacktemplate/<object_id>/launch/ | ok:{DECIDE} {GONE} 403 | done:{DECIDE} {GONE} 403
admin/fallback/missionfallbacktemplate/library/          | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/missionfallbacktemplate/library/<template_id>/copy/ | 404:{MAINTAIN}X 403 | 404:{MAINTAIN}X 403
admin/fallback/missionfallbacktemplate/<object_id>/publish/ | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/missionfallbacktemplate/<object_id>/withdraw/ | ok:{MAINTAIN} {GONE} 403 | to:{MAINTAIN}{NOT_ITS} 403
admin/fallback/missionfallbacktemplate/<object_id>/take-over/ | ok:{MAINTAIN} {GONE} 403 | ok:{MAINTAIN} {GONE} 403
admin/fallback/missionfallbacktemplate/<object_id>/uses/ | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbacktemplate/<object_id>/history/| ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbacktemplate/<object_id>/delete/ | 403                | 403
admin/fallback/missionfallbacktemplate/<template_id>/launch-now/ | 405          | done:{DECIDE} to:{LOOK} 404
admin/fallback/missionfallbackconfig/                    | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/missionfallbackconfig/add/                | ok:{MAINTAIN}X 403   | done:{MAINTAIN} ok:X 403
admin/fallback/missionfallbackconfig/<object_id>/        | to:{ALL}             | to:{ALL}
admin/fallback/missionfallbackconfig/<object_id>/change/ | ok:{LOOK} to:X 403   | done:{MAINTAIN} to:X 403
admin/fallback/missionfallbackconfig/bulk-edit/          | ok:{MAINTAIN} to:X 403| ok:{MAINTAIN} to:X 403
admin/fallback/missionfallbackconfig/<object_id>/pause/  | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/missionfallbackconfig/<object_id>/snooze/ | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/missionfallbackconfig/<object_id>/resume/ | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/missionfallbackconfig/<object_id>/replay/ | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbackconfig/<object_id>/order-by-score/ | ok:{MAINTAIN} {GONE} 403 | done:{MAINTAIN} {GONE} 403
admin/fallback/missionfallbackconfig/<object_id>/order-by-turn/ | ok:{MAINTAIN} {GONE} 403 | to:{MAINTAIN}{NOT_ITS} 403
admin/fallback/missionfallbackconfig/<object_id>/plan/   | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbackconfig/<object_id>/history/| ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbackconfig/<object_id>/delete/ | 403                  | 403
admin/fallback/missionfallbackconfig/<config_id>/run-now/ | 405                 | done:{DECIDE} 404:{NOT_ITS} 403

# Runs: read-only; reviewers may cancel them.
admin/fallback/missionfallbackrun/                       | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/missionfallbackrun/add/                   | 403                  | 403
admin/fallback/missionfallbackrun/<object_id>/           | to:{ALL}             | to:{ALL}
admin/fallback/missionfallbackrun/<object_id>/change/    | ok:{LOOK} to:X 403   | 403
admin/fallback/missionfallbackrun/<object_id>/cancel/    | ok:{DECIDE} {GONE} 403 | done:{DECIDE} {GONE} 403
admin/fallback/missionfallbackrun/<object_id>/report/    | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbackrun/<object_id>/history/   | to:{ALL}             | to:{ALL}
admin/fallback/missionfallbackrun/<object_id>/delete/    | 403                  | 403
admin/fallback/missionfallbackrun/<run_id>/report.json   | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}

# Proposals, and the page that reviews them.
admin/fallback/missionfallbackitem/                      | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/missionfallbackitem/add/                  | 403                  | 403
admin/fallback/missionfallbackitem/<object_id>/          | to:{ALL}             | to:{ALL}
admin/fallback/missionfallbackitem/<object_id>/change/   | ok:{LOOK} to:X 403   | 403
admin/fallback/missionfallbackitem/<object_id>/history/  | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbackitem/<object_id>/delete/   | 403                  | 403
admin/fallback/missionfallbackitem/review/               | ok:{LOOK}X 403       | ok:{LOOK}X 403
admin/fallback/missionfallbackitem/review/events/        | live:{LOOK}X 403     | 405:{LOOK}X 403      | 405:{LOOK}X 403
admin/fallback/missionfallbackitem/review/missions/      | ok:{ALL}             | 405                  | 405
admin/fallback/missionfallbackitem/review/accept/        | 405                  | done:{DECIDE} to
admin/fallback/missionfallbackitem/review/discard/       | 405                  | done:{DECIDE} to
admin/fallback/missionfallbackitem/<object_id>/assign/   | ok:{DECIDE} {GONE} 403 | done:{DECIDE} {GONE} 403
admin/fallback/missionfallbackitem/<object_id>/comments/ | ok:{LOOK} {GONE} | ok:{LOOK} {GONE}
admin/fallback/missionfallbackitem/<item_id>/comment/    | 405                  | done:{WORK} to:{LOOK} 404
admin/fallback/missionfallbackitem/<item_id>/accept/     | 405                  | done:{DECIDE} to:{LOOK} 404
admin/fallback/missionfallbackitem/<item_id>/discard/    | 405                  | done:{DECIDE} to:{LOOK} 404
admin/fallback/missionfallbackitem/<item_id>/snooze/     | 405                  | done:{DECIDE} to:{LOOK} 404
admin/fallback/missionfallbackitem/<item_id>/unsnooze/       | 405                  | done:{DECIDE} to:{LOOK} 404
admin/fallback/missionfallbackitem/<item_id>/duplicate/  | 405                  | done:{DECIDE} to:{LOOK} 404
admin/fallback/missionfallbackitem/<item_id>/undo/       | 405                  | done:{DECIDE} to:{LOOK} 404

# Engagement: viewed by every role; states, messages and templates changed by operators and administrators; profiles
# and announcements also by community managers.
admin/groups/member/<object_id>/engagement/              | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/userengagementstate/lifecycle/          | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/userengagementstate/                    | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/userengagementstate/add/                | 403                  | 403
admin/engagement/userengagementstate/<object_id>/        | to:{ALL}             | to:{ALL}
admin/engagement/userengagementstate/<object_id>/change/ | ok:{ROLES} 403       | 403
admin/engagement/userengagementstate/<object_id>/history/ | to:{ALL}             | to:{ALL}
admin/engagement/userengagementstate/<object_id>/delete/ | 403                  | 403
admin/engagement/userengagementstate/<object_id>/move/   | ok:AES 403           | done:AES 403
admin/engagement/userengagementstate/<object_id>/transitions/ | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/engagementstatetransition/              | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/engagementstatetransition/add/          | 403                  | 403
admin/engagement/engagementstatetransition/<object_id>/  | to:{ALL}             | to:{ALL}
admin/engagement/engagementstatetransition/<object_id>/change/ | ok:{ROLES} 403       | 403
admin/engagement/engagementstatetransition/<object_id>/history/ | to:{ALL}             | to:{ALL}
admin/engagement/engagementstatetransition/<object_id>/delete/ | 403                  | 403
admin/engagement/engagementmessage/outbox/               | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/engagementmessage/measures/             | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/engagementmessage/                      | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/engagementmessage/add/                  | 403                  | 403
admin/engagement/engagementmessage/<object_id>/          | to:{ALL}             | to:{ALL}
admin/engagement/engagementmessage/<object_id>/change/   | ok:{ROLES} 403       | 403
admin/engagement/engagementmessage/<object_id>/history/  | to:{ALL}             | to:{ALL}
admin/engagement/engagementmessage/<object_id>/delete/   | 403                  | 403
admin/engagement/engagementmessage/<object_id>/retry/    | ok:AES 403           | done:AES 403
admin/engagement/engagementmessage/<object_id>/cancel/   | ok:AES 403           | done:AES 403
admin/engagement/engagementmessage/<object_id>/postpone/ | ok:AES 403           | done:AES 403
admin/engagement/userprofile/                            | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/userprofile/add/                        | 403                  | 403
admin/engagement/userprofile/<object_id>/                | to:{ALL}             | to:{ALL}
admin/engagement/userprofile/<object_id>/change/         | ok:{ROLES} 403       | done:ACES 403
admin/engagement/userprofile/bulk-edit/                  | ok:ACES 403          | ok:ACES 403
admin/engagement/userprofile/<object_id>/history/        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/userprofile/<object_id>/delete/         | 403                  | 403
admin/engagement/userprofile/<object_id>/write/          | ok:ACES 403          | done:ACES 403
admin/engagement/userprofile/<object_id>/complete-step/  | ok:ACES 403          | done:ACES 403
admin/engagement/userprofile/<object_id>/history/<entry>/revert/ | ok:ACES 403          | done:ACES 403
admin/engagement/messagetemplate/preview/                | 405:{ROLES} 403      | ok:{ROLES} 403
admin/engagement/messagetemplate/                        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/messagetemplate/add/                    | ok:AES 403           | done:AES 403
admin/engagement/messagetemplate/<object_id>/            | to:{ALL}             | to:{ALL}
admin/engagement/messagetemplate/<object_id>/change/     | ok:{ROLES} 403       | done:AES 403
admin/engagement/messagetemplate/bulk-edit/              | ok:AES 403           | ok:AES 403
admin/engagement/messagetemplate/<object_id>/test/       | ok:AES 403           | done:AES 403
admin/engagement/messagetemplate/<object_id>/history/    | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/messagetemplate/<object_id>/delete/     | 403                  | 403
admin/engagement/messagetemplate/<object_id>/history/<entry>/revert/ | ok:AES 403           | done:AES 403
admin/engagement/replyphrase/try/                        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/replyphrase/                            | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/replyphrase/add/                        | ok:AES 403           | done:AES 403
admin/engagement/replyphrase/<object_id>/                | to:{ALL}             | to:{ALL}
admin/engagement/replyphrase/<object_id>/change/         | ok:{ROLES} 403       | done:AES 403
admin/engagement/replyphrase/bulk-edit/                  | ok:AES 403           | ok:AES 403
admin/engagement/replyphrase/<object_id>/history/        | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/replyphrase/<object_id>/delete/         | 403                  | 403
admin/engagement/replyphrase/<object_id>/history/<entry>/revert/ | ok:AES 403           | done:AES 403
admin/engagement/sequence/                               | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/sequence/add/                           | ok:AES 403           | done:AES 403
admin/engagement/sequence/<object_id>/                   | to:{ALL}             | to:{ALL}
admin/engagement/sequence/<object_id>/change/            | ok:{ROLES} 403       | done:AES 403
admin/engagement/sequence/bulk-edit/                     | ok:AES 403           | ok:AES 403
admin/engagement/sequence/<object_id>/history/           | to:{ALL}             | to:{ALL}
admin/engagement/sequence/<object_id>/delete/            | 403                  | 403
admin/engagement/sequence/<object_id>/steps/             | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/sequence/<object_id>/preview/           | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/sequencestep/                           | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/sequencestep/add/                       | ok:AES 403           | done:AES 403
admin/engagement/sequencestep/<object_id>/               | to:{ALL}             | to:{ALL}
admin/engagement/sequencestep/<object_id>/change/        | ok:{ROLES} 403       | done:AES 403
admin/engagement/sequencestep/bulk-edit/                 | ok:AES 403           | ok:AES 403
admin/engagement/sequencestep/<object_id>/history/       | to:{ALL}             | to:{ALL}
admin/engagement/sequencestep/<object_id>/delete/        | 403                  | 403
admin/engagement/bouncedaddress/                         | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/bouncedaddress/add/                     | 403                  | 403
admin/engagement/bouncedaddress/<object_id>/             | to:{ALL}             | to:{ALL}
admin/engagement/bouncedaddress/<object_id>/change/      | ok:{ROLES} 403       | 403
admin/engagement/bouncedaddress/<object_id>/history/     | to:{ALL}             | to:{ALL}
admin/engagement/bouncedaddress/<object_id>/delete/      | 403                  | 403
admin/engagement/bouncedaddress/<object_id>/restore/     | ok:ACES 403          | done:ACES 403
admin/engagement/unassignedmessage/                      | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/unassignedmessage/add/                  | 403                  | 403
admin/engagement/unassignedmessage/<object_id>/          | to:{ALL}             | to:{ALL}
admin/engagement/unassignedmessage/<object_id>/change/   | ok:{ROLES} 403       | 403
admin/engagement/unassignedmessage/<object_id>/history/  | to:{ALL}             | to:{ALL}
admin/engagement/unassignedmessage/<object_id>/delete/   | 403                  | 403
admin/engagement/unassignedmessage/<object_id>/assign/   | ok:ACES 403          | done:ACES 403
admin/engagement/unassignedmessage/<object_id>/dismiss/  | ok:ACES 403          | done:ACES 403
admin/engagement/announcement/compose/                   | ok:ACES 403          | done:ACES 403
admin/engagement/announcement/                           | ok:{ROLES} 403       | ok:{ROLES} 403
admin/engagement/announcement/add/                       | 403                  | 403
admin/engagement/announcement/<object_id>/               | to:{ALL}             | to:{ALL}
admin/engagement/announcement/<object_id>/change/        | ok:{ROLES} 403       | 403
admin/engagement/announcement/<object_id>/history/       | to:{ALL}             | to:{ALL}
admin/engagement/announcement/<object_id>/delete/        | 403                  | 403
admin/engagement/announcement/<object_id>/approve/       | ok:ACES 403          | done:ACES 403
admin/engagement/announcement/<object_id>/cancel/        | ok:ACES 403          | done:ACES 403

# Client missions: viewed by mission managers and auditors, changed by delivery leads and administrators.
admin/groups/member/<object_id>/client-missions/         | ok:{DECK} 403        | ok:{DECK} 403
admin/missiondeck/deckmission/                           | ok:{DECK} 403        | ok:{DECK} 403
admin/missiondeck/deckmission/add/                       | ok:{DELIVER} 403     | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/               | to:{ALL}             | to:{ALL}
admin/missiondeck/deckmission/<object_id>/change/        | ok:{DECK} 403        | done:{DELIVER} 403
admin/missiondeck/deckmission/bulk-edit/                 | ok:{DELIVER} 403     | ok:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/history/       | ok:{DECK} 403        | ok:{DECK} 403
admin/missiondeck/deckmission/<object_id>/history/<entry>/revert/ | ok:{DELIVER} 403 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/delete/        | 403                  | 403
admin/missiondeck/deckmission/calendar/                  | ok:{DECK} 403        | ok:{DECK} 403
admin/missiondeck/deckmission/export/                    | file:{DECK} 403      | file:{DECK} 403
# Feeds: one's own. With its secret any program may read the calendar while its owner has the permission.
admin/missiondeck/deckmission/feeds/                     | ok:{DECK} 403        | done:{DECK} 403
deck/feeds/<secret>.ics                                  | ok:{ALL}mpi-          | 405:{ALL}mpi-
admin/missiondeck/deckmission/<object_id>/transcript/<form>/ | file:{DECK} 403  | file:{DECK} 403
admin/missiondeck/citizen/                               | ok:{DECK} 403        | ok:{DECK} 403
admin/missiondeck/citizen/add/                           | ok:{DELIVER} 403     | done:{DELIVER} 403
admin/missiondeck/citizen/<object_id>/                   | to:{ALL}             | to:{ALL}
admin/missiondeck/citizen/<object_id>/change/            | ok:{DECK} 403        | done:{DELIVER} 403
admin/missiondeck/citizen/bulk-edit/                     | ok:{DELIVER} 403     | ok:{DELIVER} 403
admin/missiondeck/citizen/<object_id>/history/           | to:{ALL}             | to:{ALL}
admin/missiondeck/citizen/<object_id>/delete/            | 403                  | 403
admin/missiondeck/dodtemplate/                           | ok:{DECK} 403        | ok:{DECK} 403
admin/missiondeck/dodtemplate/add/                       | ok:{DELIVER} 403     | done:{DELIVER} 403
admin/missiondeck/dodtemplate/<object_id>/               | to:{ALL}             | to:{ALL}
admin/missiondeck/dodtemplate/<object_id>/change/        | ok:{DECK} 403        | done:{DELIVER} 403
admin/missiondeck/dodtemplate/bulk-edit/                 | ok:{DELIVER} 403     | ok:{DELIVER} 403
admin/missiondeck/dodtemplate/<object_id>/history/       | to:{ALL}             | to:{ALL}
admin/missiondeck/dodtemplate/<object_id>/delete/        | 403                  | 403
admin/missiondeck/deckmission/<object_id>/workspace/items/template/ | 405       | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/     | ok:{DECK} 403        | 405
admin/missiondeck/deckmission/<object_id>/workspace/status/ | 405                 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/chat/ | 405                 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/runs/ | 405                 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/gate/ | 405                 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/gate/baseline/ | 405        | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/gate/vanished/ | 405        | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/items/<dod_item>/evidence/ | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/items/<dod_item>/comments/ | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/evidence/<evidence>/file/ | ok:{DECK} 403 | 405
admin/missiondeck/deckmission/<object_id>/workspace/evidence/<evidence>/remove/ | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/evidence/<evidence>/sign/ | 405 | done:D 403
admin/missiondeck/deckmission/<object_id>/workspace/clients/ | ok:{DECK} 403     | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/budget/ | ok:{DECK} 403       | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/webhooks/ | ok:{DECK} 403     | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/report/ | file:{DECK} 403    | 405
admin/missiondeck/deckmission/<object_id>/workspace/tests/<test>/     | ok:{DECK} 403 | 405
admin/missiondeck/deckmission/<object_id>/workspace/tests/<test>/owner/ | 405       | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/tests/<test>/quarantine/ | 405  | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/tests/<test>/quarantine/lift/ | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/items/ | 405                | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/runs/start/ | 405          | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/runs/<run>/finish/       | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/runs/<run>/give-up/      | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/items/<dod_item>/tick/   | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/items/<dod_item>/edit/   | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/items/<dod_item>/position/ | 405 | done:{DELIVER} 403
admin/missiondeck/deckmission/<object_id>/workspace/items/<dod_item>/remove/ | 405 | done:{DELIVER} 403

# The page of a client, with the secret of its link.
client/<secret>/                                         | ok:{ALL}mpi-          | done:{ALL}mpi-
client/<secret>/report/                                  | ok:{ALL}mpi-          | 405:{ALL}mpi-

# The end of viewing the site as another member.
view-as/stop/                                            | 405:{ALL}mpi-          | to:{ALL}mpi-

# The unsubscribe link in messages: valid without a log-in.
unsubscribe/<token>/                                     | ok:{ALL}mpi-          | done:{ALL}mpi-
# The events of e-mail providers: with a secret, none of which is set here.
github/webhook/                                          | 405:{ALL}mpi-         | 503:{ALL}mpi-
github/webhook/<organization_id>/                        | 405:{ALL}mpi-         | 415:{ALL}mpi-
mail-inbound/<provider>/                                 | 405:{ALL}mpi-         | 503:{ALL}mpi-
mail-events/<provider>/                                  | 405:{ALL}mpi-         | 503:{ALL}mpi-
"""

# --- Actions of lists: a POST to the list with valid form data -------------------------------------
# `ok`: the list (or its form) is shown, nothing changed. Without permission for the list: 403.

ACTIONS = f"""
common/apitoken   revoke     | done:{ALL}
procrastinate/procrastinatejob retry  | done:S 403
procrastinate/procrastinatejob cancel | done:S 403
procrastinate/procrastinatejob abort  | done:S 403
groups/membership leave      | done:AMCS ok:EFDU 403
groups/membership role       | done:AMCS ok:EFDU 403
groups/membership rejoin     | done:AMCS ok:EFDU 403
groups/joinrequest accept    | done:AMCS ok:EFDU 403
groups/joinrequest decline   | done:AMCS ok:EFDU 403
groups/joinrequest withdraw  | done:AMCS ok:EFDU 403
groups/mission    archive    | done:AMS to:D ok:CEFU 403
groups/mission    restore    | done:AMS to:D ok:CEFU 403
groups/mission    tags       | done:AMDS ok:CEFU 403
groups/colony     tags       | done:AMS ok:CEFDU 403
groups/member     tags       | done:ACS to:M ok:EFDU 403
groups/communitymember tags      | done:ACS ok:MEFDU 403
groups/colony     archive    | done:AMS ok:CEFDU 403
groups/colony     restore    | done:AMS ok:CEFDU 403
groups/member     add_to_mission | done:AMCS ok:EFDU 403
groups/member     deactivate | done:ACS to:M ok:EFDU 403
groups/member     activate   | done:ACS to:M ok:EFDU 403
groups/task       claim      | done:AMFDS ok:CEU 403
groups/task       complete   | done:AMFDS ok:CEU 403
groups/task       reopen     | done:AMFDS ok:CEU 403
groups/task       cancel     | done:AMFDS ok:CEU 403
groups/communitymember approve   | done:ACS ok:MEFDU 403
groups/communitymember suspend   | done:ACS ok:MEFDU 403
groups/communitymember reinstate | done:ACS ok:MEFDU 403
groups/communitymember ban       | done:ACS ok:MEFDU 403
groups/communitymember verify    | done:ACS ok:MEFDU 403
groups/communitymember remove    | done:ACS ok:MEFDU 403
groups/communitymember restore   | done:ACS ok:MEFDU 403
groups/possibleduplicate   not_same | done:ACS ok:MEFDU 403
groups/communityreturn decline | done:ACS ok:MEFDU 403
groups/communityinvitation send   | done:ACS ok:MEFDU 403
groups/communityinvitation cancel | done:ACS ok:MEFDU 403
engagement/userengagementstate move       | done:AES ok:CMFDU 403
engagement/bouncedaddress      restore    | done:ACES ok:MFDU 403
engagement/unassignedmessage   dismiss    | done:ACES ok:MFDU 403
engagement/engagementmessage   retry      | done:AES ok:CMFDU 403
engagement/engagementmessage   cancel     | done:AES ok:CMFDU 403
engagement/engagementmessage   postpone   | done:AES ok:CMFDU 403
fallback/project               archive        | done:{MAINTAIN} to:X ok:{LOOK} 403
fallback/project               restore        | done:{MAINTAIN} to:X ok:{LOOK} 403
fallback/mission               move           | done:{WORK} to:X ok:{LOOK} 403
fallback/mission               make_ready     | done:{WORK} to:X ok:{LOOK} 403
fallback/mission               make_not_ready | done:{WORK} to:X ok:{LOOK} 403
fallback/missionfallbackconfig pause          | done:{MAINTAIN} to:X ok:{LOOK} 403
fallback/missionfallbackconfig snooze         | done:{MAINTAIN} to:X ok:{LOOK} 403
fallback/missionfallbackconfig resume         | done:{MAINTAIN} to:X ok:{LOOK} 403
fallback/missionfallbacktemplate launch       | done:{DECIDE} to:X ok:{LOOK} 403
fallback/missionfallbackrun    cancel         | done:{DECIDE} to:X ok:{LOOK} 403
groups/mission bulk_edit | to:AMDS ok:{ROLES} 403
groups/colony bulk_edit | to:AMS ok:{ROLES} 403
groups/member bulk_edit | to:ACSM ok:{ROLES} 403
groups/task bulk_edit | to:AMFDS ok:{ROLES} 403
groups/communitymember bulk_edit | to:ACS ok:{ROLES} 403
groups/customfield bulk_edit | to:AS ok:{ROLES} 403
fallback/organization bulk_edit | to:ASOTX ok:{LOOK} 403
fallback/project bulk_edit | to:{MAINTAIN} to:X ok:{LOOK} 403
fallback/mission bulk_edit | to:{WORK} to:X ok:{LOOK} 403
fallback/flow bulk_edit | to:{MAINTAIN} to:X ok:{LOOK} 403
fallback/actor bulk_edit | to:{MAINTAIN} to:X ok:{LOOK} 403
fallback/projectrepository bulk_edit | to:{MAINTAIN} to:X ok:{LOOK} 403
fallback/missionfallbacktemplate bulk_edit | to:{DECIDE} to:X ok:{LOOK} 403
fallback/missionfallbackconfig bulk_edit | to:{MAINTAIN} to:X ok:{LOOK} 403
engagement/userprofile bulk_edit | to:ACES ok:{ROLES} 403
engagement/messagetemplate bulk_edit | to:AES ok:{ROLES} 403
engagement/replyphrase bulk_edit | to:AES ok:{ROLES} 403
engagement/sequence bulk_edit | to:AES ok:{ROLES} 403
engagement/sequencestep bulk_edit | to:AES ok:{ROLES} 403
missiondeck/deckmission bulk_edit | to:{DELIVER} ok:{DECK} 403
missiondeck/citizen bulk_edit | to:{DELIVER} ok:{DECK} 403
missiondeck/dodtemplate bulk_edit | to:{DELIVER} ok:{DECK} 403
"""

# --- The API: URL, method, response to a token of that person with every scope ---------------------
# Methods that are not listed: 405. Without a valid token: 401.

API = f"""
api/openapi.json             *    | ok:{ALL}mpi-
api/docs                     *    | ok:{ALL}mpi-
api/                         *    | 404:{ALL}mpi-
api/<rest>                   *    | 404:{ALL}mpi-
api/me                       GET  | ok:{ALL}mp
api/missions                 GET  | ok:{ROLES}mp 403
api/missions/<key>           GET  | ok:{ROLES}mp 403
api/missions/<key>/members   GET  | ok:{ROLES} 403:mp 403
api/missions/<key>/join      POST | done:AMCSmp 403
api/missions/<key>/leave     POST | done:AMCSmp 403
api/missions/<key>/requests  POST | done:{ROLES}mp 403
api/missions/<key>/waiting-list POST | done:{ROLES}mp 403
api/missions/<key>/invitations POST | done:AMCS 403
api/join-requests            GET  | ok:{ROLES}mp 403
api/join-requests/<request_id>/accept   POST | done:AMCS 404:mp 403
api/join-requests/<request_id>/decline  POST | done:AMCS 404:mp 403
api/join-requests/<request_id>/withdraw POST | done:AMCS 404:mp 403
api/directory/members                           GET  | ok:{ROLES}m 403:p 403
api/directory/members/<number>                  GET  | ok:{ROLES}m 403:p 403
api/directory/register                          POST | done:{ALL}mp
api/directory/invitations                       GET  | ok:{ROLES}m 403:p 403
api/directory/invitations                       POST | done:ACSm 403:p 403
api/directory/invitations/<invitation_id>       PATCH | done:ACSm 404:p 403
api/directory/invitations/<invitation_id>/cancel POST | done:ACSm 404:p 403
api/directory/invitations/<invitation_id>/code POST | done:ACSm 404:p 403
api/participation                               POST | done:ACS 403:mp 403
api/engagement/me                               GET   | ok:{ALL}mp
api/engagement/me/transitions                   GET   | ok:{ALL}mp
api/engagement/me/profile                       GET   | ok:{ALL}mp
api/engagement/me/profile                       PATCH | done:{ALL}mp
api/engagement/members/<member_id>/transitions  POST  | done:AES 403:mp 403
api/engagement/messages                         GET   | ok:{ROLES} 403:mp 403
api/engagement/messages/<message_id>/retry      POST  | done:AES 403:mp 403
api/engagement/messages/<message_id>/cancel     POST  | done:AES 403:mp 403
# Requests of a gateway are signed; a token is not accepted.
api/engagement/inbound                          POST  | 401:{ALL}mpi-
api/engagement/receipts                         POST  | 401:{ALL}mpi-
# Client missions: for staff with the permission; read by the member to whom the mission is assigned.
api/deck/citizens                               GET    | ok:{ALL}mp
api/deck/missions                               GET    | ok:{ALL}mp
api/deck/missions                               POST   | done:{DELIVER} 403:{ALL}mp
api/deck/missions/<number>                      GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>                      PATCH  | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/status                 POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/gate                 GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/gate                 PUT    | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/gate/baseline        POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/gate/vanished        POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod                  GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod                  POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/templates                              GET    | ok:{DECK} 403:{ALL}mp
api/deck/missions/<number>/template             POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>           PATCH  | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>           DELETE | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/evidence             GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>/evidence  POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>/comments  GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>/comments  POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>/files     POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>/evidence/<evidence>/file GET | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>/evidence/<evidence> DELETE | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/dod/<item>/evidence/<evidence>/signature PUT | done:D 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/budget               GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/costs                GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/costs                POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/costs/<cost>         DELETE | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/chats                GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/chats/<citizen>      GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/chats/<citizen>      POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs                 GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs                 POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/import          POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/latest          GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/<run>           GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/<run>/logs      GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/<run>/changes   GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/<run>/errors    GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/tests/<test>         GET    | ok:{DECK}m 404:{ALL}p
api/deck/missions/<number>/tests/<test>/owner   PUT    | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/tests/<test>/quarantine PUT | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/tests/<test>/quarantine/lift POST | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/<run>/finish    POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/deck/missions/<number>/runs/<run>/give-up   POST   | done:{DELIVER} 403:{DECK}m 404:{ALL}p
api/projects                                                  GET   | ok:{ALL}mp
api/projects/<project>                                        GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions                               GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions                               POST  | done:{WORK}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>                     GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>                     PATCH | done:{WORK}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/move                POST  | done:{WORK}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/events              GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/assignments         GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/assign              POST  | done:{WORK}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/comments            GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/comments            POST  | done:{WORK}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/comments/<comment>/remove POST | done:{MAINTAIN} 403:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/documents           GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/document            GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/missions/<mission>/document            PUT   | done:{WORK}p 403:{LOOK} 404:{NOT_ITS}m
api/inbox                                                     GET   | ok:{ALL}mp
api/inbox/read                                                POST  | done:S ok:{ALL}mp
api/inbox/<notification>/snooze                               POST  | done:S 404
api/absences                                                  GET   | ok:{ALL}mp
api/absences                                                  POST  | done:{ALL}mp
api/absences/<absence>/end                                    POST  | done:AS 404
api/stars                                                     GET   | ok:{ALL}mp
api/stars                                                     POST  | done:{LOOK}p 404
api/library                                                   GET   | ok:{LOOK}Xp 403
api/library                                                   POST  | done:{MAINTAIN} 403:{LOOK}p 404
api/library/<origin>/withdraw                                 POST  | done:ASX 403:MFDU 404
api/library/<origin>/copy                                     POST  | done:{MAINTAIN} 403:{LOOK}p 404
api/library/copies/<copied>/changes                             GET   | ok:{LOOK}p 404
api/library/copies/<copied>/take-over                           POST  | done:{MAINTAIN} 403:{LOOK}p 404
api/workstations                                              GET   | ok:{ALL}mp
api/workstations                                              POST  | done:{WORK}p 404
api/workstations/<workstation>                                GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/workstations/<workstation>/heartbeat                      POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/workstations/<workstation>/projects                       PUT   | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/workstations/<workstation>/clones                         PUT   | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/workstations/<workstation>/worktrees                      PUT   | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/workstations/<workstation>/claim                          POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/workstations/<workstation>/end                            POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/agent-sessions/<session>                                  GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/agent-sessions/<session>/start                            POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/agent-sessions/<session>/heartbeat                        POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/agent-sessions/<session>/document                         PUT   | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/agent-sessions/<session>/log                              POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/agent-sessions/<session>/pull-request                     POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/agent-sessions/<session>/end                              POST  | done:S 403:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/plan                          GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/runs                          GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/runs                          POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/fallback/runs/<run>                    GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/runs/<run>/report             GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/items                         GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>                  GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/accept           POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/comments         GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/comments         POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/comments/<comment>/remove POST | done:{MAINTAIN} 403:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/assign           POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/discard          POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/snooze           POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/fallback/items/<item>/undo             POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
api/projects/<project>/fallback/templates                     GET   | ok:{LOOK}p 404:{NOT_ITS}m
api/projects/<project>/fallback/templates/<template>/launch   POST  | done:{DECIDE}p 403:{LOOK} 404:{NOT_ITS}m
"""
