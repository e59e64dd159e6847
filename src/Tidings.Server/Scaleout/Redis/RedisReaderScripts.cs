namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// What <see cref="RedisReaderCounts"/> does in Redis, each call at once. KEYS[1] is what the names begin with. There are: <c>nodes</c>, the time up
/// to which each living node counts; <c>of:N</c>, the readers of each channel of node N, and its connections under a name that no channel has;
/// <c>names:N</c>, the names alone, in their order. What a dead node had goes with its lifetime.
/// </summary>
internal static class RedisReaderScripts
{
    /// <summary>Under which a node's connections are counted: no channel is called so.</summary>
    public const string Connections = "#connections";

    /// <summary>Node, lifetime in ms, connections, then each channel and its readers; answers whether the node was known.</summary>
    public const string Write = Shared + """
        local node, life = ARGV[1], tonumber(ARGV[2])
        local known = redis.call('ZSCORE', p .. 'nodes', node) and 1 or 0
        redis.call('ZADD', p .. 'nodes', now() + life, node)
        redis.call('HSET', p .. 'of:' .. node, '#connections', ARGV[3])
        for i = 4, #ARGV, 2 do
          if ARGV[i + 1] == '0' then
            redis.call('HDEL', p .. 'of:' .. node, ARGV[i])
            redis.call('ZREM', p .. 'names:' .. node, ARGV[i])
          else
            redis.call('HSET', p .. 'of:' .. node, ARGV[i], ARGV[i + 1])
            redis.call('ZADD', p .. 'names:' .. node, 0, ARGV[i])
          end
        end
        redis.call('PEXPIRE', p .. 'of:' .. node, life)
        redis.call('PEXPIRE', p .. 'names:' .. node, life)
        return known
        """;

    /// <summary>Node: it has nothing any more.</summary>
    public const string Forget = Shared + """
        redis.call('ZREM', p .. 'nodes', ARGV[1])
        redis.call('DEL', p .. 'of:' .. ARGV[1], p .. 'names:' .. ARGV[1])
        return 1
        """;

    /// <summary>The node that asks, then names; answers for each what all others have.</summary>
    public const string Count = Shared + """
        local nodes, answer = others(ARGV[1]), {}
        for i = 2, #ARGV do answer[#answer + 1] = sum(nodes, ARGV[i]) end
        return answer
        """;

    /// <summary>
    /// The node that asks, the limits of the names as ZRANGEBYLEX has them, and the most names; answers each name that others have, and how many
    /// readers it has there.
    /// </summary>
    public const string List = Shared + """
        local nodes, names, seen = others(ARGV[1]), {}, {}
        for _, node in ipairs(nodes) do
          for _, name in ipairs(redis.call('ZRANGEBYLEX', p .. 'names:' .. node, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])) do
            if not seen[name] then
              seen[name] = true
              names[#names + 1] = name
            end
          end
        end
        table.sort(names)
        local answer = {}
        for i = 1, math.min(#names, tonumber(ARGV[4])) do
          answer[#answer + 1] = names[i]
          answer[#answer + 1] = sum(nodes, names[i])
        end
        return answer
        """;

    private const string Shared = """
        local p = KEYS[1]
        local function now()
          local time = redis.call('TIME')
          return time[1] * 1000 + math.floor(time[2] / 1000)
        end
        local function others(own)
          redis.call('ZREMRANGEBYSCORE', p .. 'nodes', '-inf', now())
          local nodes = {}
          for _, node in ipairs(redis.call('ZRANGE', p .. 'nodes', 0, -1)) do
            if node ~= own then nodes[#nodes + 1] = node end
          end
          return nodes
        end
        local function sum(nodes, name)
          local number = 0
          for _, node in ipairs(nodes) do number = number + tonumber(redis.call('HGET', p .. 'of:' .. node, name) or '0') end
          return number
        end

        """;
}
