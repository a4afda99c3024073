-- Counts requests in fixed windows: KEYS are counters, ARGV[1] is the window in milliseconds, ARGV[i + 1] how many
-- requests to add to KEYS[i]. Returns count and remaining milliseconds for each key.
-- One script, so that a counter without an expiry can never be left behind; one that exists anyway is repaired.
local result = {}
local window = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  local count = redis.pcall('INCRBY', key, ARGV[i + 1])
  if type(count) == 'table' then
    -- A value that is not a counter: start again.
    redis.call('DEL', key)
    count = redis.call('INCRBY', key, ARGV[i + 1])
  end
  local left = redis.call('PTTL', key)
  if left < 0 or left > window then
    redis.call('PEXPIRE', key, window)
    left = window
  end
  result[2 * i - 1] = count
  result[2 * i] = left
end
return result
