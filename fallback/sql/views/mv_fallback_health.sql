-- For each project with a configuration: how often enough missions were ready in the last 30 days with samples, and how
-- much of its latest week and month of guardrails is used.
CREATE MATERIALIZED VIEW mv_fallback_health AS
SELECT c.project_id, coalesce(b.samples, 0)::integer AS samples,
    round(b.enough::numeric / nullif(b.samples, 0), 4) AS threshold_adherence_ratio,
    coalesce(w.used, 0) AS week_used_missions, c.weekly_mission_cap, w.starts_on AS week_starts_on,
    coalesce(m.used, 0) AS month_used_minutes, c.monthly_target_hours * 60 AS monthly_target_minutes,
    m.starts_on AS month_starts_on
FROM mission_fallback_configs c
LEFT JOIN LATERAL (SELECT sum(r.samples) AS samples, sum(r.enough) AS enough FROM (
    SELECT r.samples, r.enough FROM fallback_backlog_rollups r WHERE r.project_id = c.project_id
    ORDER BY r.day DESC LIMIT 30) r) b ON true
LEFT JOIN LATERAL (SELECT a.used, a.starts_on FROM mission_fallback_allowances a
    WHERE a.project_id = c.project_id AND a.period = 'week' ORDER BY a.starts_on DESC LIMIT 1) w ON true
LEFT JOIN LATERAL (SELECT a.used, a.starts_on FROM mission_fallback_allowances a
    WHERE a.project_id = c.project_id AND a.period = 'month' ORDER BY a.starts_on DESC LIMIT 1) m ON true;
CREATE UNIQUE INDEX mv_fallback_health_key ON mv_fallback_health (project_id);
