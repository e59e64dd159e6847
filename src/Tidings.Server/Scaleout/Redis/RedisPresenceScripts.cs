namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// What <see cref="RedisPresenceStore"/> does in Redis, each call at once. KEYS[1] is what the names begin with. There are: <c>nodes</c>,
/// the time up to which each living node's members live; <c>node:N</c>, what node N has put, as <c>channel user</c>; <c>in:C</c>, the members
/// of channel C, each with its nodes, a line feed and its info; <c>dead</c> and <c>dead:N</c>, dead nodes and what is left to clear away of them.
/// </summary>
internal static class RedisPresenceScripts
{
    /// <summary>Channel, user, info, node, lifetime in ms; answers whether it is a change, and the count.</summary>
    public const string Put = Shared + """
        local channel, user, info, node = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
        redis.call('ZADD', p .. 'nodes', now() + tonumber(ARGV[5]), node)
        redis.call('SADD', p .. 'node:' .. node, channel .. ' ' .. user)
        local known = redis.call('HGET', p .. 'in:' .. channel, user)
        local nodes = node
        if known then
          nodes = split(known)
          if not has(nodes, node) then nodes = nodes .. ',' .. node end
        end
        redis.call('HSET', p .. 'in:' .. channel, user, nodes .. '\n' .. info)
        return { known and 0 or 1, count(channel) }
        """;

    /// <summary>Channel, user, node; answers whether it is a change, and the count.</summary>
    public const string Remove = Shared + """
        local channel, user, node = ARGV[1], ARGV[2], ARGV[3]
        redis.call('SREM', p .. 'node:' .. node, channel .. ' ' .. user)
        local gone = take(channel, user, node)
        return { gone and 1 or 0, count(channel) }
        """;

    /// <summary>Node, lifetime in ms; answers 1, or 0 if it has put nothing or was taken for dead.</summary>
    public const string Renew = Shared + """
        if not redis.call('ZSCORE', p .. 'nodes', ARGV[1]) then return 0 end
        redis.call('ZADD', p .. 'nodes', now() + tonumber(ARGV[2]), ARGV[1])
        return 1
        """;

    /// <summary>Channel, limit; answers the count, then each user and info.</summary>
    public const string List = Shared + """
        local limit, answer, listed, cursor = tonumber(ARGV[2]), { count(ARGV[1]) }, 0, '0'
        local nodes = living()
        while listed < limit do
          local page = redis.call('HSCAN', p .. 'in:' .. ARGV[1], cursor, 'COUNT', limit)
          for i = 1, #page[2], 2 do
            local by, info = split(page[2][i + 1])
            if listed < limit and alive(by, nodes) then
              listed = listed + 1
              answer[#answer + 1] = page[2][i]
              answer[#answer + 1] = info
            end
          end
          cursor = page[1]
          if cursor == '0' then break end
        end
        return answer
        """;

    /// <summary>Channel, then users; answers those of them who are there.</summary>
    public const string Find = Shared + """
        local answer, nodes = {}, living()
        for i = 2, #ARGV do
          local known = redis.call('HGET', p .. 'in:' .. ARGV[1], ARGV[i])
          if known then
            local by = split(known)
            if alive(by, nodes) then answer[#answer + 1] = ARGV[i] end
          end
        end
        return answer
        """;

    /// <summary>
    /// The most to clear away in one call; answers whether there is more, then channel, user, info and count of each member who is gone. A
    /// dead node that lives after all is told so by <see cref="Renew"/> and puts its members again: those are passed over.
    /// </summary>
    public const string TakeExpired = Shared + """
        for _, node in ipairs(redis.call('ZRANGEBYSCORE', p .. 'nodes', '-inf', now())) do
          redis.call('ZREM', p .. 'nodes', node)
          redis.call('SADD', p .. 'dead', node)
          redis.call('SUNIONSTORE', p .. 'dead:' .. node, p .. 'dead:' .. node, p .. 'node:' .. node)
          redis.call('DEL', p .. 'node:' .. node)
        end
        local node = redis.call('SRANDMEMBER', p .. 'dead')
        if not node then return { 0 } end
        local gone = {}
        for _, entry in ipairs(redis.call('SPOP', p .. 'dead:' .. node, tonumber(ARGV[1]))) do
          local space = string.find(entry, ' ', 1, true)
          local channel, user = string.sub(entry, 1, space - 1), string.sub(entry, space + 1)
          if redis.call('SISMEMBER', p .. 'node:' .. node, entry) == 0 then
            local known, info = take(channel, user, node)
            if known then gone[#gone + 1] = { channel, user, info } end
          end
        end
        if redis.call('EXISTS', p .. 'dead:' .. node) == 0 then redis.call('SREM', p .. 'dead', node) end
        local answer = { redis.call('SCARD', p .. 'dead') > 0 and 1 or 0 }
        for _, one in ipairs(gone) do
          answer[#answer + 1] = one[1]
          answer[#answer + 1] = one[2]
          answer[#answer + 1] = one[3]
          answer[#answer + 1] = count(one[1])
        end
        return answer
        """;

    private const string Shared = """
        local p = KEYS[1]
        local function now()
          local time = redis.call('TIME')
          return time[1] * 1000 + math.floor(time[2] / 1000)
        end
        local function living()
          local nodes = {}
          for _, node in ipairs(redis.call('ZRANGEBYSCORE', p .. 'nodes', '(' .. now(), '+inf')) do nodes[node] = true end
          return nodes
        end
        local function split(value)
          local line = string.find(value, '\n', 1, true)
          return string.sub(value, 1, line - 1), string.sub(value, line + 1)
        end
        local function has(nodes, node)
          return string.find(',' .. nodes .. ',', ',' .. node .. ',', 1, true)
        end
        local function alive(by, nodes)
          for node in string.gmatch(by, '[^,]+') do
            if nodes[node] then return true end
          end
          return false
        end
        local function count(channel)
          if redis.call('ZCOUNT', p .. 'nodes', '-inf', now()) == 0 and redis.call('SCARD', p .. 'dead') == 0 then
            return redis.call('HLEN', p .. 'in:' .. channel)
          end
          local number, nodes = 0, living()
          for _, value in ipairs(redis.call('HVALS', p .. 'in:' .. channel)) do
            local by = split(value)
            if alive(by, nodes) then number = number + 1 end
          end
          return number
        end
        local function take(channel, user, node)
          local known = redis.call('HGET', p .. 'in:' .. channel, user)
          if not known then return false end
          local by, info = split(known)
          if not has(by, node) then return false end
          local rest = {}
          for other in string.gmatch(by, '[^,]+') do
            if other ~= node then rest[#rest + 1] = other end
          end
          if #rest == 0 then
            redis.call('HDEL', p .. 'in:' .. channel, user)
            return true, info
          end
          redis.call('HSET', p .. 'in:' .. channel, user, table.concat(rest, ',') .. '\n' .. info)
          return false
        end

        """;
}
