using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// Makes the function that turns a statement's row into a value: a scalar takes the first column, a tuple the columns by their order,
/// anything else its widest public constructor's parameters and its settable properties, by name without case and underscores.
/// </summary>
internal static class RowMapper
{
    private static readonly Dictionary<Type, MethodInfo> Readers = typeof(RowMapper)
        .GetMethods(BindingFlags.NonPublic | BindingFlags.Static)
        .Where(method => method.Name.StartsWith("Read", StringComparison.Ordinal) && method.GetParameters() is [{ ParameterType: var first }, { ParameterType: var second }]
            && first == typeof(Statement) && second == typeof(int) && !method.IsGenericMethod)
        .ToDictionary(method => method.ReturnType);

    public static Func<Statement, T> Make<T>(Statement statement)
    {
        var row = Expression.Parameter(typeof(Statement));
        Expression body = IsScalar(typeof(T)) ? Column(row, 0, typeof(T), statement)
            : typeof(T).IsAssignableTo(typeof(ITuple)) && typeof(T).IsValueType ? Tuple(row, typeof(T), statement)
            : Whole(row, typeof(T), statement);
        return Expression.Lambda<Func<Statement, T>>(body, row).Compile();
    }

    private static bool IsScalar(Type type) => Readers.ContainsKey(Nullable.GetUnderlyingType(type) ?? type);

    private static NewExpression Tuple(ParameterExpression row, Type type, Statement statement)
    {
        var constructor = type.GetConstructors().Single();
        return Expression.New(constructor, constructor.GetParameters().Select((parameter, index) => Column(row, index, parameter.ParameterType, statement)));
    }

    private static MemberInitExpression Whole(ParameterExpression row, Type type, Statement statement)
    {
        var columns = statement.ColumnNames.Select(Plain).ToList();
        var constructor = type.GetConstructors().MaxBy(candidate => candidate.GetParameters().Length)
            ?? throw new InvalidOperationException($"{type.Name} has no public constructor, so no row can become one.");

        var taken = new HashSet<int>();
        var arguments = constructor.GetParameters().Select(parameter =>
        {
            var column = columns.IndexOf(Plain(parameter.Name!));
            if (column < 0 && parameter.HasDefaultValue) return (Expression)Expression.Convert(Expression.Constant(parameter.DefaultValue), parameter.ParameterType);
            if (column < 0) throw new InvalidOperationException($"No column for {type.Name}.{parameter.Name} in: {statement.Sql}");
            taken.Add(column);
            return Column(row, column, parameter.ParameterType, statement);
        }).ToList();

        var settable = type.GetProperties().Where(property => property.SetMethod is { IsPublic: true })
            .Select(property => (Property: property, Column: columns.IndexOf(Plain(property.Name))))
            .Where(pair => pair.Column >= 0 && !taken.Contains(pair.Column))
            .Select(pair => Expression.Bind(pair.Property, Column(row, pair.Column, pair.Property.PropertyType, statement)));

        return Expression.MemberInit(Expression.New(constructor, arguments), settable);
    }

    private static ConditionalExpression Column(ParameterExpression row, int column, Type type, Statement statement)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (!Readers.TryGetValue(plain, out var reader))
            throw new InvalidOperationException($"A column cannot be read as {type.Name}; use long, int, bool, double, string, byte[] or DateTimeOffset. In: {statement.Sql}");

        Expression read = Expression.Call(reader, row, Expression.Constant(column));
        if (plain != type) read = Expression.Convert(read, type);

        var whenNull = type.IsValueType && plain == type
            ? Expression.Throw(Expression.New(typeof(InvalidOperationException).GetConstructor([typeof(string)])!, Expression.Constant($"Column {column + 1} is NULL, but {type.Name} is not nullable, in: {statement.Sql}")), type)
            : (Expression)Expression.Default(type);

        return Expression.Condition(Expression.Call(row, nameof(Statement.IsNull), null, Expression.Constant(column)), whenNull, read);
    }

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    private static long ReadLong(Statement row, int column) => row.ReadInt64(column);

    private static int ReadInt(Statement row, int column) => checked((int)row.ReadInt64(column));

    private static bool ReadBool(Statement row, int column) => row.ReadInt64(column) != 0;

    private static double ReadDouble(Statement row, int column) => row.ReadDouble(column);

    private static string ReadString(Statement row, int column) => row.ReadString(column);

    private static byte[] ReadBytes(Statement row, int column) => row.ReadBytes(column);

    private static DateTimeOffset ReadInstant(Statement row, int column) => DateTimeOffset.FromUnixTimeMilliseconds(row.ReadInt64(column));
}
