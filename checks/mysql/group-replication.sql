-- description: This member of a replication group is online, and most of the group with it.
-- endpoints:   readyz
-- flavor:      mysql
-- server-version: >= 8.0
-- # Skipped where no group is configured. A member that is recovering, was expelled or is among a minority
-- # still answers SELECT 1, with old data: that is why this is part of /readyz.
-- skip:        in_group == 0
-- fail:        member_state != 'ONLINE'
-- # In a minority each write waits for ever, and reads grow old. RECOVERING members vote.
-- fail:        majority == 0
-- # A user without the grant below can't tell. That is a warning, for most servers are in no group.
-- tolerate:    server_error
-- metrics:     members
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_group_members */ TO $user
SELECT EXISTS (SELECT * FROM performance_schema.global_variables
               WHERE variable_name = 'group_replication_group_name'
                 AND variable_value <> '') AS in_group,
       COALESCE(MAX(IF(member_id = @@server_uuid, member_state, NULL)), 'OFFLINE') AS member_state,
       COUNT(*) AS members,
       COALESCE(SUM(member_state IN ('ONLINE', 'RECOVERING')) * 2 > COUNT(*), 0) AS majority
FROM performance_schema.replication_group_members;
