-- The state of a mission's gate: the commit, the runs that decide, and each rule with its value. See selectors/gates.py.
CREATE OR REPLACE FUNCTION deck_gate(of_mission uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp
AS $$
DECLARE
    rules deck_gate_rules%ROWTYPE;
    baseline record;
    runs jsonb;
    of_commit text;
    all_tests bigint;
    all_failures bigint;
    newest timestamptz;
    open_runs jsonb;
    later jsonb;
    vanished text[] := '{}';
BEGIN
    SELECT * INTO rules FROM deck_gate_rules WHERE mission_id = of_mission;
    rules.required_suites := coalesce(rules.required_suites, '{}');
    rules.max_failures := coalesce(rules.max_failures, 0);
    SELECT id, tests, created_at, reason INTO baseline FROM deck_gate_baselines
    WHERE mission_id = of_mission ORDER BY id DESC LIMIT 1;
    SELECT jsonb_agg(jsonb_build_object(
            'run', g.run_id, 'suite', g.suite, 'environment', g.environment, 'status', g.status,
            'is_latest', g.is_latest, 'tests', g.tests, 'failures', g.failures,
            'is_green', g.status = 'passed' OR (g.status = 'failed' AND NOT g.is_given_up AND g.passed > 0
                AND g.failures BETWEEN 1 AND rules.max_failures)
        ) ORDER BY g.suite, g.environment),
        coalesce(max(g.commit), ''), coalesce(sum(g.tests), 0), coalesce(sum(g.failures), 0), max(g.ran_at)
    INTO runs, of_commit, all_tests, all_failures, newest FROM deck_gate_runs(of_mission) g;
    -- Runs that are still open: those of the commit, and those without one.
    SELECT coalesce(jsonb_agg(jsonb_build_object('run', t.id, 'suite', t.job) ORDER BY t.created_at, t.id), '[]')
    INTO open_runs FROM test_runs t
    WHERE t.mission_id = of_mission AND t.status = 'running' AND of_commit <> '' AND t.commit IN ('', of_commit);
    IF of_commit <> '' THEN
        -- A later run without a commit closes the gate if it failed, but does not open it.
        SELECT jsonb_build_object('run', h.id, 'status', h.status) INTO later FROM (
            SELECT t.id, t.status, t.ordered_at FROM test_runs t WHERE t.mission_id = of_mission AND t.commit = ''
            ORDER BY t.ordered_at DESC, t.created_at DESC, t.id DESC LIMIT 1
        ) h WHERE h.status = 'failed' AND h.ordered_at > newest;
    ELSE
        -- Of overlapping runs without a commit, the one that ended last counts too; a running run is the last to end.
        SELECT jsonb_build_object('run', h.id, 'status', h.status) INTO later FROM (
            SELECT t.id, t.status FROM test_runs t WHERE t.mission_id = of_mission
            ORDER BY t.finished_at DESC NULLS FIRST, t.created_at DESC, t.id DESC LIMIT 1
        ) h WHERE h.status <> 'passed'
            AND NOT EXISTS (SELECT FROM deck_gate_runs(of_mission) g WHERE g.run_id = h.id);
    END IF;
    IF baseline.id IS NOT NULL THEN
        vanished := ARRAY(SELECT v FROM deck_vanished_tests_of(of_mission) AS v ORDER BY 1);
    END IF;
    RETURN jsonb_build_object(
        'commit', of_commit, 'runs', coalesce(runs, '[]'), 'later', later, 'open', open_runs,
        'required_suites', to_jsonb(rules.required_suites),
        'missing_suites', to_jsonb(ARRAY(
            SELECT s FROM unnest(rules.required_suites) WITH ORDINALITY AS required (s, place) WHERE NOT EXISTS (
                SELECT FROM jsonb_array_elements(coalesce(runs, '[]')) AS r (run) WHERE lower(run->>'suite') = lower(s)
            ) ORDER BY place
        )),
        'tests', all_tests, 'min_tests', coalesce(rules.min_tests, ceil(baseline.tests * 0.9)::integer),
        'is_min_tests_stated', rules.min_tests IS NOT NULL,
        'failures', all_failures, 'max_failures', rules.max_failures,
        'ran_at', newest, 'max_age_days', rules.max_age_days,
        'is_too_old', coalesce(newest < now() - make_interval(days => rules.max_age_days), false),
        'baseline', CASE WHEN baseline.id IS NOT NULL THEN jsonb_build_object(
            'tests', baseline.tests, 'at', baseline.created_at, 'reason', baseline.reason
        ) END,
        'vanished', cardinality(vanished), 'vanished_tests', to_jsonb(vanished[1:50])
    );
END $$;
