--- The part of a batch script that is the same for every scheduler: it starts `netspace task`,
-- passes signals on, and asks the scheduler for another turn when the time was up.

local M = {}

--- A word that a shell takes as it is, whatever is in it.
function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The body of the script of a job (submission.lua).
--   share     an arithmetic expression of the shell: the number of the task's share, from 0
--   label     text that tells this start of the task from others, as within double quotes
--   again     the command that queues the task again
-- SIGUSR1 says that the time is nearly up; all that is done about it in the handler is to note
-- it and to tell netspace to stop, which writes checkpoints and ends with another status than 0
-- while there is work left.
function M.body(job, share, label, again)
  local lines = { ("cd %s || exit 66"):format(M.quote(job.directory)) }
  if job.setup then lines[#lines + 1] = job.setup end
  lines[#lines + 1] = ([[
late= task=
trap 'late=1; [ -z "$task" ] || kill -TERM "$task" 2>/dev/null' USR1
trap '[ -z "$task" ] || kill -TERM "$task" 2>/dev/null' TERM
%s task "$((%s))" "%s" &
task=$!
[ -z "$late" ] || kill -TERM "$task"
wait "$task"
status=$?
while kill -0 "$task" 2>/dev/null; do # it was a signal that ended the waiting
    wait "$task"
    status=$?
done
[ -z "$late" ] || [ "$status" -eq 0 ] || %s
exit "$status"
]]):format(M.quote(job.program), share, label, again)
  return table.concat(lines, "\n")
end

return M
