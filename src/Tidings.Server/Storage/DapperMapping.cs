using System.Data;
using System.Globalization;
using Dapper;

namespace Tidings.Server.Storage;

/// <summary>
/// What Dapper has to be told once: columns are snake_case, instants are Unix milliseconds, and a whole number, which
/// arrives as a long, also fills an int or a bool of a record's constructor.
/// </summary>
internal static class DapperMapping
{
    private static readonly Lazy<bool> Once = new(() =>
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        Use(new Converted<DateTimeOffset>(
            instant => instant.ToUnixTimeMilliseconds(),
            stored => stored as DateTimeOffset? ?? DateTimeOffset.FromUnixTimeMilliseconds(Convert.ToInt64(stored, CultureInfo.InvariantCulture))));
        Use(new Converted<bool>(value => value, stored => Convert.ToBoolean(stored, CultureInfo.InvariantCulture)));
        Use(new Converted<int>(value => value, stored => Convert.ToInt32(stored, CultureInfo.InvariantCulture)));
        return true;
    });

    public static void Register() => _ = Once.Value;

    private static void Use<T>(Converted<T> handler)
        where T : struct
    {
        SqlMapper.RemoveTypeMap(typeof(T));
        SqlMapper.RemoveTypeMap(typeof(T?));
        SqlMapper.AddTypeHandler(handler);
    }

    private sealed class Converted<T>(Func<T, object> store, Func<object, T> read) : SqlMapper.TypeHandler<T>
    {
        public override void SetValue(IDbDataParameter parameter, T? value) => parameter.Value = value is null ? DBNull.Value : store(value);

        public override T? Parse(object value) => read(value);
    }
}
