namespace Tidings.Bench.Results;

/// <summary>Rows of text under a head, printed aligned: the first column to the left, the rest to the right.</summary>
internal sealed class Table(IReadOnlyList<string> head)
{
    private readonly List<IReadOnlyList<string>> _rows = [head];

    internal void Add(IReadOnlyList<string> row) => _rows.Add(row);

    internal void Write()
    {
        var widths = Enumerable.Range(0, head.Count).Select(column => _rows.Max(row => row[column].Length)).ToList();
        foreach (var row in _rows)
            Console.WriteLine("  " + string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))));
    }
}
