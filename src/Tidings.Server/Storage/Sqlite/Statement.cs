using System.Buffers;
using System.Text;
using SQLitePCL;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>A prepared statement that is used again and again. Belongs to one connection and to one thread at a time.</summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _handle;
    private readonly string[] _parameterNames;
    private string[]? _columnNames;
    private (Type Type, ParameterBinder[] Binders) _binding = (typeof(void), []);
    private Delegate? _mapper;

    public Statement(sqlite3 connection, string sql)
    {
        _connection = connection;
        SqliteFaults.Check(raw.sqlite3_prepare_v3(connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out _handle, out var rest), connection);
        if (_handle.IsInvalid || !string.IsNullOrWhiteSpace(rest))
        {
            _handle.Dispose();
            throw new InvalidOperationException($"One statement at a time: {sql}");
        }

        Sql = sql;
        _parameterNames = new string[raw.sqlite3_bind_parameter_count(_handle)];
        for (var index = 0; index < _parameterNames.Length; index++)
            _parameterNames[index] = raw.sqlite3_bind_parameter_name(_handle, index + 1).utf8_to_string() ?? $"?{index + 1}";
    }

    public string Sql { get; }

    /// <summary>The names of the result's columns. Read again after each reset, for a changed schema changes them.</summary>
    public IReadOnlyList<string> ColumnNames
    {
        get
        {
            var count = raw.sqlite3_column_count(_handle);
            if (_columnNames?.Length == count) return _columnNames;

            var names = new string[count];
            for (var index = 0; index < count; index++) names[index] = raw.sqlite3_column_name(_handle, index).utf8_to_string();
            return _columnNames = names;
        }
    }

    /// <summary>Sets all parameters from the public properties of an object.</summary>
    public void BindAll(object? parameters)
    {
        if (_parameterNames.Length == 0) return;
        if (parameters is null) throw new InvalidOperationException($"The statement takes parameters, but none are given: {Sql}");

        var type = parameters.GetType();
        if (_binding.Type != type) _binding = (type, ParameterBinder.Select(type, _parameterNames, Sql));
        for (var index = 0; index < _binding.Binders.Length; index++) _binding.Binders[index].Bind(this, index + 1, parameters);
    }

    /// <summary>Takes a step: true if there is a row, false at the end.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(_handle);
        if (code == raw.SQLITE_ROW) return true;
        if (code == raw.SQLITE_DONE) return false;
        throw SqliteFaults.Of(code, _connection);
    }

    /// <summary>Makes it ready for its next use. Its last error has been reported by <see cref="Step"/>.</summary>
    public void Reset() => raw.sqlite3_reset(_handle);

    /// <summary>Runs it to its end with the parameters that are bound.</summary>
    /// <returns>How many rows it changed.</returns>
    public int Run()
    {
        try
        {
            while (Step())
            {
            }

            return raw.sqlite3_changes(_connection);
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Runs it and maps its rows.</summary>
    public List<T> ReadAll<T>()
    {
        var rows = new List<T>();
        try
        {
            while (Step()) rows.Add(MapperFor<T>()(this));
            return rows;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>Runs it and maps its only row; the default if there is none.</summary>
    public T? ReadSingle<T>()
    {
        try
        {
            if (!Step()) return default;
            var row = MapperFor<T>()(this);
            return Step() ? throw new InvalidOperationException($"More than one row where one was asked for: {Sql}") : row;
        }
        finally
        {
            Reset();
        }
    }

    public Statement Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(_handle, index, value));
        return this;
    }

    public Statement Bind(int index, double value)
    {
        Check(raw.sqlite3_bind_double(_handle, index, value));
        return this;
    }

    public Statement BindNull(int index)
    {
        Check(raw.sqlite3_bind_null(_handle, index));
        return this;
    }

    public Statement Bind(int index, long? value) => value is { } number ? Bind(index, number) : BindNull(index);

    public Statement Bind(int index, string? value)
    {
        if (value is null) return BindNull(index);

        const int Small = 512;
        var most = Encoding.UTF8.GetMaxByteCount(value.Length);
        var rented = most > Small ? ArrayPool<byte>.Shared.Rent(most) : null;
        var bytes = rented ?? stackalloc byte[Small];
        var count = Encoding.UTF8.GetBytes(value, bytes);

        // An empty span would be bound as NULL.
        Check(count == 0 ? raw.sqlite3_bind_text(_handle, index, "") : raw.sqlite3_bind_text(_handle, index, bytes[..count]));
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return this;
    }

    public Statement BindBytes(int index, ReadOnlySpan<byte> value)
    {
        Check(raw.sqlite3_bind_blob(_handle, index, value));
        return this;
    }

    public bool IsNull(int column) => raw.sqlite3_column_type(_handle, column) == raw.SQLITE_NULL;

    public long ReadInt64(int column) => raw.sqlite3_column_int64(_handle, column);

    public double ReadDouble(int column) => raw.sqlite3_column_double(_handle, column);

    /// <summary>The column's bytes, for text too; valid until the next step.</summary>
    public ReadOnlySpan<byte> ReadSpan(int column) => raw.sqlite3_column_blob(_handle, column);

    public byte[] ReadBytes(int column) => ReadSpan(column).ToArray();

    /// <summary>The column as text, whole even if it contains a NUL.</summary>
    public string ReadString(int column)
    {
        if (raw.sqlite3_column_type(_handle, column) is raw.SQLITE_TEXT or raw.SQLITE_BLOB) return Encoding.UTF8.GetString(ReadSpan(column));
        return raw.sqlite3_column_text(_handle, column).utf8_to_string() ?? "";
    }

    public void Dispose() => _handle.Dispose();

    private Func<Statement, T> MapperFor<T>()
    {
        if (_mapper is Func<Statement, T> known) return known;
        var made = RowMapper.Make<T>(this);
        _mapper = made;
        return made;
    }

    private void Check(int code) => SqliteFaults.Check(code, _connection);
}
