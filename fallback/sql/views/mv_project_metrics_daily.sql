-- The figures of a project by day. Over the roll-ups, so that they stay when runs are deleted.
CREATE MATERIALIZED VIEW mv_project_metrics_daily AS
SELECT project_id, day, coalesce(p.generated, 0)::integer AS fallback_generated,
    coalesce(p.accepted, 0)::integer AS fallback_accepted, coalesce(p.discarded, 0)::integer AS fallback_discarded,
    round(b.backlog_sum::numeric / nullif(b.samples, 0), 2) AS avg_backlog_size,
    round(b.threshold_sum::numeric / nullif(b.samples, 0), 2) AS avg_backlog_threshold,
    coalesce(b.samples, 0) AS samples, coalesce(b.enough, 0) AS samples_with_enough
FROM (SELECT r.project_id, r.day, sum(r.generated) AS generated, sum(r.accepted) AS accepted,
          sum(r.discarded) AS discarded
      FROM fallback_proposal_rollups r GROUP BY r.project_id, r.day) p
FULL JOIN fallback_backlog_rollups b USING (project_id, day);
CREATE UNIQUE INDEX mv_project_metrics_daily_key ON mv_project_metrics_daily (project_id, day);
