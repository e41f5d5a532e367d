-- What two addresses of one mailbox have in common: lower case, without +tag, and for Google without dots.
CREATE OR REPLACE FUNCTION email_key(email text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
AS $$
    SELECT CASE WHEN host IN ('gmail.com', 'googlemail.com') THEN replace(box, '.', '') || '@gmail.com'
        ELSE box || '@' || host END
    FROM (
        SELECT split_part(split_part(lower(email), '@', 1), '+', 1) AS box, split_part(lower(email), '@', 2) AS host
    ) AS parts
$$;
