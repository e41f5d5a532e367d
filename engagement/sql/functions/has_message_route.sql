-- Returns whether a message can reach a member on a channel of the site; the parameters are those of message_routes.
CREATE OR REPLACE FUNCTION has_message_route(who uuid, destination text, chat text, tried text, configured text[])
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT EXISTS (SELECT FROM message_routes(who, destination, chat, tried, configured)) $$;
