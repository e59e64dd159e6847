using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// A feature's statement as PostgreSQL takes it: parameters by number, and comments <c>/*FOR UPDATE*/</c>, which are for SQLite to pass
/// over, made true. Safe for all threads.
/// </summary>
internal sealed class PostgresStatement
{
    private const int MostKnown = 2_000;

    private static readonly ConcurrentDictionary<string, PostgresStatement> Known = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<PropertyInfo, Func<object, NpgsqlParameter>> Makers = new();

    private readonly string _source;
    private readonly string _text;
    private readonly List<string> _parameters = [];
    private volatile Binding? _binding;

    private PostgresStatement(string sql)
    {
        _source = sql;
        _text = Translate(sql);
    }

    /// <summary>The statement of a text that only reads or changes rows.</summary>
    public static PostgresStatement Of(string sql)
    {
        if (Known.TryGetValue(sql, out var known)) return known;
        if (SqlText.FirstWord(sql) is not ("SELECT" or "INSERT" or "UPDATE" or "DELETE" or "WITH" or "VALUES"))
            throw new InvalidOperationException($"A unit only selects, inserts, updates and deletes; its transaction is the store's: {sql}");

        var made = new PostgresStatement(sql);
        return Known.Count < MostKnown ? Known.GetOrAdd(sql, made) : made;
    }

    /// <summary>The statement with the public properties of an object as its parameters.</summary>
    public NpgsqlBatchCommand With(object? parameters)
    {
        var command = new NpgsqlBatchCommand(_text);
        if (_parameters.Count == 0) return command;
        if (parameters is null) throw new InvalidOperationException($"The statement takes parameters, but none are given: {_source}");

        var type = parameters.GetType();
        if (_binding is not { } binding || binding.Type != type) _binding = binding = new Binding(type, MakersFor(type));
        foreach (var make in binding.Makers) command.Parameters.Add(make(parameters));
        return command;
    }

    private string Translate(string sql)
    {
        var text = new StringBuilder(sql.Length);
        for (var index = 0; index < sql.Length;)
        {
            var rest = sql.AsSpan(index);
            var length = rest[0] switch
            {
                '\'' or '"' => rest[1..].IndexOf(rest[0]) + 2,
                '-' when rest.StartsWith("--", StringComparison.Ordinal) => rest.IndexOf('\n') is var end and >= 0 ? end : rest.Length,
                ';' when !rest[1..].IsWhiteSpace() => throw new InvalidOperationException($"One statement at a time: {sql}"),
                _ => 1,
            };

            if (rest.StartsWith("/*FOR ", StringComparison.Ordinal))
            {
                length = rest.IndexOf("*/", StringComparison.Ordinal) + 2;
                text.Append(rest[2..(length - 2)]);
            }
            else if (rest[0] == '@' && rest.Length > 1 && IsOfName(rest[1]))
            {
                while (length < rest.Length && IsOfName(rest[length])) length++;
                text.Append('$').Append(NumberOf(rest[1..length].ToString()));
            }
            else
            {
                text.Append(rest[..length]);
            }

            index += length;
        }

        return text.ToString();
    }

    private int NumberOf(string name)
    {
        var index = _parameters.FindIndex(known => known.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (index >= 0) return index + 1;
        _parameters.Add(name);
        return _parameters.Count;
    }

    private Func<object, NpgsqlParameter>[] MakersFor(Type type)
    {
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanRead && property.GetIndexParameters().Length == 0).ToList();
        return
        [
            .. _parameters.Select(name => properties.Find(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } property
                ? Makers.GetOrAdd(property, Maker)
                : throw new InvalidOperationException($"{type.Name} has no public property for the parameter @{name} of: {_source}")),
        ];
    }

    private static Func<object, NpgsqlParameter> Maker(PropertyInfo property)
    {
        var plain = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var instance = Expression.Parameter(typeof(object));
        var read = Expression.Lambda<Func<object, object?>>(
            Expression.Convert(Expression.Property(Expression.Convert(instance, property.ReflectedType!), property), typeof(object)), instance).Compile();

        if (plain == typeof(string)) return from => Parameter(NpgsqlDbType.Text, read(from));
        if (plain == typeof(long)) return from => Parameter(NpgsqlDbType.Bigint, read(from));
        if (plain == typeof(int)) return from => Parameter(NpgsqlDbType.Bigint, read(from) is int number ? (long)number : null);
        if (plain == typeof(bool)) return from => Parameter(NpgsqlDbType.Bigint, read(from) is bool flag ? (flag ? 1L : 0L) : null);
        if (plain == typeof(double)) return from => Parameter(NpgsqlDbType.Double, read(from));
        if (plain == typeof(byte[])) return from => Parameter(NpgsqlDbType.Bytea, read(from));
        if (plain == typeof(ReadOnlyMemory<byte>)) return from => Parameter(NpgsqlDbType.Bytea, read(from) is ReadOnlyMemory<byte> bytes ? bytes.ToArray() : null);
        if (plain == typeof(DateTimeOffset)) return from => Parameter(NpgsqlDbType.Bigint, read(from) is DateTimeOffset instant ? instant.ToUnixTimeMilliseconds() : null);
        throw new InvalidOperationException(
            $"{property.ReflectedType!.Name}.{property.Name} is a {property.PropertyType.Name}, which is not stored as it is: "
            + "use a string, long, int, bool, double, byte[], ReadOnlyMemory<byte> or DateTimeOffset (an enum as its name; a list as JSON with json_each).");
    }

    private static NpgsqlParameter Parameter(NpgsqlDbType type, object? value) => new() { NpgsqlDbType = type, Value = value ?? DBNull.Value };

    private static bool IsOfName(char character) => char.IsAsciiLetterOrDigit(character) || character == '_';

    private sealed record Binding(Type Type, Func<object, NpgsqlParameter>[] Makers);
}
