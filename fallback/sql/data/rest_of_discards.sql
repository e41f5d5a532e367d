-- Lets the templates of recent discards rest, as new discards do; a template was last edited when it was last changed.
UPDATE mission_fallback_items SET rest_until = reviewed_at + interval '14 days'
WHERE status = 'discarded' AND coalesce(reason, 'other') IN ('not_needed', 'other')
  AND reviewed_at > CURRENT_TIMESTAMP - interval '14 days';
ALTER TABLE mission_fallback_templates DISABLE TRIGGER mission_fallback_templates_touch_updated_at;
UPDATE mission_fallback_templates SET edited_at = updated_at;
ALTER TABLE mission_fallback_templates ENABLE TRIGGER mission_fallback_templates_touch_updated_at;
