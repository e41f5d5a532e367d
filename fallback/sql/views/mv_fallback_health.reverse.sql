DROP MATERIALIZED VIEW mv_fallback_health;
