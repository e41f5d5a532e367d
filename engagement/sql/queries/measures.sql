-- What happened after the messages that were sent in a period, by template, sequence or week; control: the same for steps
-- of sequences that members of the control group were not sent. Used by selectors.measures.
WITH sent AS MATERIALIZED (
    SELECT q.user_id, q.delivered_at, q.status = 'cancelled' AS is_control,
           CASE WHEN q.status = 'cancelled' THEN q.scheduled_for ELSE q.sent_at END AS at,
           CASE %(by)s WHEN 'template' THEN CASE WHEN q.announcement_id IS NULL THEN q.message_key ELSE 'announcement' END
                       WHEN 'sequence' THEN c.name
                       ELSE to_char(CASE WHEN q.status = 'cancelled' THEN q.scheduled_for ELSE q.sent_at END,
                                    'IYYY-"W"IW') END AS label
    FROM engagement_message_queue q
    LEFT JOIN engagement_sequence_steps t ON t.id = q.step_id
    LEFT JOIN engagement_sequences c ON c.id = t.sequence_id
    WHERE q.message_type <> 'test' AND (%(by)s <> 'sequence' OR q.step_id IS NOT NULL) AND (
        (q.sent_at >= %(since)s AND q.sent_at <= %(until)s)
        OR (q.status = 'cancelled' AND q.error_message = %(control)s AND q.scheduled_for >= %(since)s
            AND q.scheduled_for <= %(until)s)
    )
), facts AS (
    SELECT sent.label, sent.is_control, sent.delivered_at, (
               SELECT t.trigger FROM engagement_state_transitions t
               WHERE t.user_id = sent.user_id AND t.created_at > sent.at AND t.created_at <= sent.at + %(effect)s
                   AND t.trigger LIKE 'goodbye_response_%%'
               ORDER BY t.created_at LIMIT 1
           ) AS answer,
           EXISTS (
               SELECT FROM engagement_state_transitions t
               WHERE t.user_id = sent.user_id AND t.trigger = 'user_message' AND t.created_at > sent.at
                   AND t.created_at <= sent.at + %(effect)s
           ) OR EXISTS (
               SELECT FROM engagement_inbound_messages i
               WHERE i.user_id = sent.user_id AND i.effect NOT IN ('auto_reply', 'opted_out') AND i.received_at > sent.at
                   AND i.received_at <= sent.at + %(effect)s
           ) OR EXISTS (
               SELECT FROM member_daily_highlights h JOIN community_members c ON c.member_id = h.member_id
               WHERE c.person_id = sent.user_id AND h.highlight_date > sent.at::date
                   AND h.highlight_date <= (sent.at + %(effect)s)::date
           ) AS came_back,
           EXISTS (
               SELECT FROM user_profiles_history h
               WHERE h.pgh_obj_id = sent.user_id AND h.reengagement_opt_out AND h.pgh_created_at > sent.at
                   AND h.pgh_created_at <= sent.at + %(effect)s
                   AND NOT (
                       SELECT b.reengagement_opt_out FROM user_profiles_history b
                       WHERE b.pgh_obj_id = h.pgh_obj_id AND b.pgh_id < h.pgh_id ORDER BY b.pgh_id DESC LIMIT 1
                   )
           ) AS opted_out
    FROM sent
)
SELECT label, count(*) FILTER (WHERE NOT is_control), count(delivered_at) FILTER (WHERE NOT is_control),
       count(*) FILTER (WHERE answer = 'goodbye_response_1' AND NOT is_control),
       count(*) FILTER (WHERE answer = 'goodbye_response_2' AND NOT is_control),
       count(*) FILTER (WHERE answer = 'goodbye_response_3' AND NOT is_control),
       count(*) FILTER (WHERE came_back AND NOT is_control), count(*) FILTER (WHERE opted_out AND NOT is_control),
       count(*) FILTER (WHERE is_control), count(*) FILTER (WHERE came_back AND is_control)
FROM facts GROUP BY label ORDER BY label
