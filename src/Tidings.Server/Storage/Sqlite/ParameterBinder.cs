using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Reflection;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>Sets one parameter of a statement from one property of an object. Compiled once per type of object.</summary>
internal sealed class ParameterBinder
{
    private static readonly ConcurrentDictionary<Type, Dictionary<string, PropertyInfo>> PropertiesOf = new();
    private static readonly ConcurrentDictionary<PropertyInfo, ParameterBinder> Made = new();

    // By the exact type: looking a method up by its arguments would take an enum for a number.
    private static readonly Dictionary<Type, MethodInfo> BindValueOf = typeof(ParameterBinder)
        .GetMethods(BindingFlags.NonPublic | BindingFlags.Static)
        .Where(method => method.Name == nameof(BindValue))
        .ToDictionary(method => method.GetParameters()[2].ParameterType);

    private ParameterBinder(Action<Statement, int, object> bind) => Bind = bind;

    /// <summary>Sets the parameter at an index, counted from 1.</summary>
    public Action<Statement, int, object> Bind { get; }

    /// <summary>Finds the binder of each parameter of a statement, in order. Names are compared without case and without their first character.</summary>
    public static ParameterBinder[] Select(Type type, string[] parameterNames, string sql)
    {
        var properties = PropertiesOf.GetOrAdd(type, static type => type
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanRead && property.GetIndexParameters().Length == 0)
            .DistinctBy(property => property.Name, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase));

        return Array.ConvertAll(parameterNames, name => properties.TryGetValue(name[1..], out var property)
            ? Made.GetOrAdd(property, Make)
            : throw new InvalidOperationException($"{type.Name} has no public property for the parameter {name} of: {sql}"));
    }

    private static ParameterBinder Make(PropertyInfo property)
    {
        var statement = Expression.Parameter(typeof(Statement));
        var index = Expression.Parameter(typeof(int));
        var parameters = Expression.Parameter(typeof(object));

        var value = Expression.Property(Expression.Convert(parameters, property.ReflectedType!), property);
        if (!BindValueOf.TryGetValue(property.PropertyType, out var bind))
        {
            throw new InvalidOperationException(
                $"{property.ReflectedType!.Name}.{property.Name} is a {property.PropertyType.Name}, which is not stored as it is: "
                + "use a string, long, int, bool, double, byte[], ReadOnlyMemory<byte> or DateTimeOffset (an enum as its name; a list as JSON with json_each).");
        }

        return new(Expression.Lambda<Action<Statement, int, object>>(Expression.Call(bind, statement, index, value), statement, index, parameters).Compile());
    }

    private static void BindValue(Statement statement, int index, string? value) => statement.Bind(index, value);

    private static void BindValue(Statement statement, int index, long value) => statement.Bind(index, value);

    private static void BindValue(Statement statement, int index, int value) => statement.Bind(index, (long)value);

    private static void BindValue(Statement statement, int index, bool value) => statement.Bind(index, value ? 1L : 0L);

    private static void BindValue(Statement statement, int index, double value) => statement.Bind(index, value);

    private static void BindValue(Statement statement, int index, DateTimeOffset value) => statement.Bind(index, value.ToUnixTimeMilliseconds());

    private static void BindValue(Statement statement, int index, ReadOnlyMemory<byte> value) => statement.BindBytes(index, value.Span);

    private static void BindValue(Statement statement, int index, byte[]? value)
    {
        if (value is null) statement.BindNull(index);
        else statement.BindBytes(index, value);
    }

    private static void BindValue(Statement statement, int index, long? value) => statement.Bind(index, value);

    private static void BindValue(Statement statement, int index, int? value) => statement.Bind(index, (long?)value);

    private static void BindValue(Statement statement, int index, bool? value) => statement.Bind(index, value is { } known ? (known ? 1L : 0L) : null);

    private static void BindValue(Statement statement, int index, DateTimeOffset? value) => statement.Bind(index, value?.ToUnixTimeMilliseconds());

    private static void BindValue(Statement statement, int index, double? value)
    {
        if (value is { } number) statement.Bind(index, number);
        else statement.BindNull(index);
    }

    private static void BindValue(Statement statement, int index, ReadOnlyMemory<byte>? value)
    {
        if (value is { } bytes) statement.BindBytes(index, bytes.Span);
        else statement.BindNull(index);
    }
}
