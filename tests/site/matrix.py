"""Who may open and do what: one line an address, read by people and compared by a test with what the site answers.

A letter is a role:

    A Administrator         M Mission Manager    C Community Manager   E Engagement Operator
    F Fallback Reviewer     D Delivery Lead      U Auditor             S superuser
    N staff without a role  m member             i inactive staff      - nobody logged in

An answer is `ok` (a page, nothing changed), `done` (the database changed), `to` (sent on to another page), `login`
(sent to the log-in) or a status. `ok:AMS 403` reads: a page for A, M and S, and 403 for everyone else. On pages,
m, i and - are sent to the log-in unless the line names them. HEAD answers as GET unless a
third cell says otherwise; every other method of a page is 405.

`@somebody` after an address: the same page of that object of tests/site/world.py, where the kind of it matters.
"""

ALL = "AMCEFDUSN"
ROLES = "AMCEFDUS"

# --- Pages: address, GET and HEAD, POST with a form that is filled in right (HEAD) -----------------------

PAGES = f"""
                                                         | to:{ALL}mi-          | to:{ALL}mi-
admin/                                                   | ok:{ALL}             | ok:{ALL}
admin/<app_label>/                                       | ok:{ROLES} 404       | ok:{ROLES} 404
admin/<url>                                              | 404                  | 404
admin/r/<content_type_id>/<object_id>/                   | 404                  | 404
admin/search/                                            | ok:{ALL}             | ok:{ALL}
admin/autocomplete/                                      | ok:{ROLES} 403       | 405
admin/jsi18n/                                            | ok:{ALL}             | 405
admin/login/                                             | to:{ALL} ok:mi-      | to:{ALL}mi-          | ok:{ALL}mi-
admin/logout/                                            | 405 to:mi-           | ok:{ALL} to:mi-
admin/password_change/                                   | ok:{ALL}             | done:{ALL}
admin/password_change/done/                              | ok:{ALL}             | 405

# Roles: looked at by administrators and auditors, made and edited by administrators; the site's own by nobody.
admin/missionsite/role/                                  | ok:AUS 403           | ok:AUS 403
admin/missionsite/role/add/                              | ok:AS 403            | done:AS 403
admin/missionsite/role/<object_id>/                      | to:{ALL}             | to:{ALL}
admin/missionsite/role/<object_id>/change/               | ok:AUS 403           | done:AS 403
admin/missionsite/role/<object_id>/change/ @kept role    | ok:AUS 403           | 403
admin/missionsite/role/<object_id>/history/              | to:{ALL}             | to:{ALL}
admin/missionsite/role/<object_id>/delete/               | 403                  | 403

# Background jobs, as the queue itself shows them.
admin/procrastinate/procrastinatejob/                    | ok:S 403             | ok:S 403
admin/procrastinate/procrastinatejob/add/                | 403                  | 403
admin/procrastinate/procrastinatejob/<object_id>/        | to:{ALL}             | to:{ALL}
admin/procrastinate/procrastinatejob/<object_id>/change/ | ok:S 403             | 403
admin/procrastinate/procrastinatejob/<object_id>/history/| ok:S 403             | ok:S 403
admin/procrastinate/procrastinatejob/<object_id>/delete/ | 403                  | 403

# Tokens: all staff for themselves; another's is there for superusers only.
admin/common/apitoken/                                   | ok:{ALL}             | ok:{ALL}
admin/common/apitoken/add/                               | ok:{ALL}             | done:{ALL}
admin/common/apitoken/<object_id>/                       | to:{ALL}             | to:{ALL}
admin/common/apitoken/<object_id>/change/                | ok:{ALL}             | 403
admin/common/apitoken/<object_id>/change/ @another's     | ok:S to              | 403
admin/common/apitoken/<object_id>/revoke/                | ok:{ALL}             | done:{ALL}
admin/common/apitoken/<object_id>/revoke/ @another's     | ok:S to              | done:S to
admin/common/apitoken/<object_id>/history/               | to:{ALL}             | to:{ALL}
admin/common/apitoken/<object_id>/delete/                | 403                  | 403

# Events: a record.
admin/groups/event/                                      | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/event/add/                                  | 403                  | 403
admin/groups/event/<object_id>/                          | to:{ALL}             | to:{ALL}
admin/groups/event/<object_id>/change/                   | ok:{ROLES} 403       | 403
admin/groups/event/<object_id>/history/                  | to:{ALL}             | to:{ALL}
admin/groups/event/<object_id>/delete/                   | 403                  | 403

# Memberships: seated by those who run missions or look after members; never edited.
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

# Missions: opened and archived by mission managers; a delivery lead edits them.
admin/groups/mission/                                    | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/add/                                | ok:AMS 403           | done:AMS 403
admin/groups/mission/<object_id>/                        | to:{ALL}             | to:{ALL}
admin/groups/mission/<object_id>/change/                 | ok:{ROLES} 403       | done:AMDS 403
admin/groups/mission/<object_id>/seat/                   | ok:AMCS 403          | done:AMCS 403
admin/groups/mission/<object_id>/archive/                | ok:AMS 403           | done:AMS 403
admin/groups/mission/<object_id>/restore/                | ok:AMS 403           | done:AMS 403
admin/groups/mission/<object_id>/members/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/former-members/         | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/tasks/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/events/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/history/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/mission/<object_id>/history/<entry>/revert/ | ok:AMDS 403          | done:AMDS 403
admin/groups/mission/<object_id>/history/<entry>/revert/ @archived mission | ok:AMS 403 | done:AMS 403
admin/groups/mission/<object_id>/delete/                 | 403                  | 403

# The colony: founded by administrators.
admin/groups/colony/                                     | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/add/                                 | ok:AS 403            | done:AS 403
admin/groups/colony/<object_id>/                         | to:{ALL}             | to:{ALL}
admin/groups/colony/<object_id>/change/                  | ok:{ROLES} 403       | done:AMS 403
admin/groups/colony/<object_id>/seat/                    | ok:AMCS 403          | done:AMCS 403
admin/groups/colony/<object_id>/archive/                 | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/restore/                 | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/missions/                | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/members/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/former-members/          | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/events/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/history/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/colony/<object_id>/history/<entry>/revert/  | ok:AMS 403           | done:AMS 403
admin/groups/colony/<object_id>/delete/                  | 403                  | 403

# Both together, for the pickers: leads on to the page of either.
admin/groups/group/                                      | to:{ALL}             | to:{ALL}
admin/groups/group/<object_id>/change/                   | to:{ALL}             | to:{ALL}

# Members: looked after by administrators and community managers; people with rights by administrators alone.
admin/groups/member/                                     | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/add/                                 | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/                         | to:{ALL}             | to:{ALL}
admin/groups/member/<object_id>/change/                  | ok:{ROLES} 403       | done:ACS 403
admin/groups/member/<object_id>/change/ @colleague       | ok:{ROLES} 403       | done:AS 403
admin/groups/member/<object_id>/change/ @administrator   | ok:{ROLES} 403       | done:S 403
admin/groups/member/<object_id>/seat/                    | ok:AMCS 403          | done:AMCS 403
admin/groups/member/<object_id>/password/                | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/password/ @colleague     | ok:AS 403            | done:AS 403
admin/groups/member/<object_id>/password/ @administrator | ok:S 403             | done:S 403
admin/groups/member/<object_id>/deactivate/              | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/deactivate/ @colleague   | ok:AS 403            | done:AS 403
admin/groups/member/<object_id>/deactivate/ @administrator | ok:S 403           | done:S 403
admin/groups/member/<object_id>/activate/                | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/seats/                   | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/tasks/                   | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/events/                  | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/history/                 | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/member/<object_id>/history/<entry>/revert/  | ok:ACS 403           | done:ACS 403
admin/groups/member/<object_id>/history/<entry>/revert/ @colleague            | ok:AS 403  | done:AS 403
admin/groups/member/<object_id>/history/<entry>/revert/ @former colleague     | ok:AS 403  | done:AS 403
admin/groups/member/<object_id>/history/<entry>/revert/ @former administrator | ok:S 403   | done:S 403
admin/groups/member/<object_id>/delete/                  | 403                  | 403

# Tasks: written and moved on by those who run missions, review proposals or lead delivery.
admin/groups/task/                                       | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/task/add/                                   | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/                           | to:{ALL}             | to:{ALL}
admin/groups/task/<object_id>/change/                    | ok:{ROLES} 403       | done:AMFDS 403
admin/groups/task/<object_id>/claim/                     | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/complete/                  | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/reopen/                    | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/cancel/                    | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/history/                   | ok:{ROLES} 403       | ok:{ROLES} 403
admin/groups/task/<object_id>/history/<entry>/revert/    | ok:AMFDS 403         | done:AMFDS 403
admin/groups/task/<object_id>/delete/                    | 403                  | 403
"""

# --- Actions of lists: a POST to the list with a form that is filled in right ----------------------
# `ok`: the list comes back (or its form), nothing changed. Whoever may not open the list gets 403.

ACTIONS = """
common/apitoken   revoke     | done:AMCEFDUSN
procrastinate/procrastinatejob retry  | done:S 403
procrastinate/procrastinatejob cancel | done:S 403
procrastinate/procrastinatejob abort  | done:S 403
groups/membership leave      | done:AMCS ok:EFDU 403
groups/membership role       | done:AMCS ok:EFDU 403
groups/membership rejoin     | done:AMCS ok:EFDU 403
groups/mission    archive    | done:AMS ok:CEFDU 403
groups/mission    restore    | done:AMS ok:CEFDU 403
groups/colony     archive    | done:AMS ok:CEFDU 403
groups/colony     restore    | done:AMS ok:CEFDU 403
groups/member     seat       | done:AMCS ok:EFDU 403
groups/member     deactivate | done:ACS to:M ok:EFDU 403
groups/member     activate   | done:ACS to:M ok:EFDU 403
groups/task       claim      | done:AMFDS ok:CEU 403
groups/task       complete   | done:AMFDS ok:CEU 403
groups/task       reopen     | done:AMFDS ok:CEU 403
groups/task       cancel     | done:AMFDS ok:CEU 403
"""

# --- The API: address, method, answer with a token of that person that has every scope -------------
# Every method that has no line is 405. Without a valid token: 401.

API = f"""
api/openapi.json             *    | ok:{ALL}mi-
api/docs                     *    | ok:{ALL}mi-
api/                         *    | 404:{ALL}mi-
api/<rest>                   *    | 404:{ALL}mi-
api/me                       GET  | ok:{ALL}m
api/missions                 GET  | ok:{ROLES}m 403
api/missions/<key>           GET  | ok:{ROLES}m 403
api/missions/<key>/members   GET  | ok:{ROLES} 403:Nm
api/missions/<key>/join      POST | done:AMCSm 403
api/missions/<key>/leave     POST | done:AMCSm 403
"""
