-- The figures of projects by day, summed (daily_figures in selectors/metrics.py).
-- Parameters: project_ids (array), since, until (days, both included).
SELECT day, sum(fallback_generated), sum(fallback_accepted), sum(fallback_discarded),
    sum(avg_backlog_size), sum(avg_backlog_threshold)
FROM mv_project_metrics_daily
WHERE project_id = ANY (%(project_ids)s) AND day BETWEEN %(since)s AND %(until)s
GROUP BY day ORDER BY day
