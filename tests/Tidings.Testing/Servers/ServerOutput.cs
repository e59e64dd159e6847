using System.Text;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Servers;

/// <summary>The last lines that a server wrote, of all its lives. Safe for all threads.</summary>
public sealed class ServerOutput
{
    private const int MostLines = 4_000;

    private readonly Queue<string> _lines = [];
    private readonly Lock _gate = new();

    /// <summary>The lines as one text.</summary>
    public string Text
    {
        get
        {
            lock (_gate) return new StringBuilder().AppendJoin('\n', _lines).ToString();
        }
    }

    internal void Add(string? line)
    {
        if (line is null) return;
        CanaryWatch.Shared.LookThroughLog(line);
        lock (_gate)
        {
            _lines.Enqueue(line);
            if (_lines.Count > MostLines) _lines.Dequeue();
        }
    }

    /// <inheritdoc />
    public override string ToString() => Text;
}
