using System.Globalization;
using System.Net;
using System.Text;

namespace Tidings.Bench.Results;

/// <summary>Panels of horizontal bars as one SVG, two panels in a row. Its colours follow the reader's light or dark preference.</summary>
internal sealed class BarChart(string title, string subtitle)
{
    private const int Width = 900;
    private const int Margin = 24;
    private const int Gap = 36;
    private const int PanelWidth = (Width - (2 * Margin) - Gap) / 2;
    private const int LabelWidth = 146;
    private const int ValueWidth = 58;
    private const int BarHeight = 16;
    private const int RowHeight = 23;
    private const int HeadHeight = 46;
    private const int TitleHeight = 76;

    private const string Style = """
        svg { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
        .ground { fill: #ffffff } .text { fill: #1f2328 } .soft { fill: #59636e } .bar { fill: #afb8c1 } .ours { fill: #0969da } .track { fill: #f0f2f4 }
        .title { font-size: 18px; font-weight: 600 } .head { font-size: 14px; font-weight: 600 } .small { font-size: 12px }
        @media (prefers-color-scheme: dark) {
          .ground { fill: #0d1117 } .text { fill: #e6edf3 } .soft { fill: #9198a1 } .bar { fill: #59636e } .ours { fill: #4493f8 } .track { fill: #1b2129 }
        }
        """;

    private readonly List<Panel> _panels = [];

    internal void Add(Panel panel) => _panels.Add(panel);

    internal string Draw()
    {
        var body = new StringBuilder();
        var top = TitleHeight;
        foreach (var row in _panels.Chunk(2))
        {
            for (var column = 0; column < row.Length; column++)
                DrawPanel(body, row[column], Margin + (column * (PanelWidth + Gap)), top);
            top += HeadHeight + (row.Max(panel => panel.Bars.Count) * RowHeight) + Margin;
        }

        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {top}" width="{Width}" height="{top}" role="img" aria-labelledby="title">
            <title id="title">{Escape(title)}</title>
            <style>{Style}</style>
            <rect class="ground" width="{Width}" height="{top}"/>
            <text class="text title" x="{Margin}" y="34">{Escape(title)}</text>
            <text class="soft small" x="{Margin}" y="55">{Escape(subtitle)}</text>
            {body}</svg>

            """;
    }

    private static void DrawPanel(StringBuilder body, Panel panel, int left, int top)
    {
        body.Append(Invariant($"<text class=\"text head\" x=\"{left}\" y=\"{top + 14}\">{Escape(panel.Title)}</text>\n"));
        body.Append(Invariant($"<text class=\"soft small\" x=\"{left}\" y=\"{top + 32}\">{Escape(panel.Unit)}</text>\n"));
        var most = panel.Bars.Max(bar => bar.Value) ?? 1;
        var room = PanelWidth - LabelWidth - ValueWidth;
        for (var i = 0; i < panel.Bars.Count; i++)
        {
            var bar = panel.Bars[i];
            var y = top + HeadHeight + (i * RowHeight);
            var x = left + LabelWidth;
            body.Append(Invariant($"<text class=\"text\" x=\"{x - 8}\" y=\"{y + 13}\" text-anchor=\"end\">{Escape(bar.Label)}</text>"));
            if (bar.Value is not { } value)
            {
                body.Append(Invariant($"<text class=\"soft small\" x=\"{x}\" y=\"{y + 13}\">not available</text>\n"));
                continue;
            }

            var length = Math.Max(1, room * value / Math.Max(most, double.Epsilon));
            body.Append(Invariant($"<rect class=\"track\" x=\"{x}\" y=\"{y}\" width=\"{room}\" height=\"{BarHeight}\" rx=\"3\"/>"));
            body.Append(Invariant($"<rect class=\"{(bar.IsOurs ? "ours" : "bar")}\" x=\"{x}\" y=\"{y}\" width=\"{length:F1}\" height=\"{BarHeight}\" rx=\"3\"/>"));
            body.Append(Invariant($"<text class=\"text\" x=\"{x + room + 8}\" y=\"{y + 13}\">{Short(value)}</text>\n"));
        }
    }

    private static string Short(double value) => value switch
    {
        >= 10_000 => Invariant($"{value / 1000:F0} k"),
        >= 1000 => Invariant($"{value / 1000:F1} k"),
        >= 100 => Invariant($"{value:F0}"),
        _ => Invariant($"{value:F1}"),
    };

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="Title">What was done.</param>
    /// <param name="Unit">Of the values, and whether more or less is better.</param>
    /// <param name="Bars">From top to bottom.</param>
    internal sealed record Panel(string Title, string Unit, IReadOnlyList<Bar> Bars);

    /// <param name="Label">Whose.</param>
    /// <param name="Value">Null: there is none.</param>
    /// <param name="IsOurs">Drawn in the colour that stands out.</param>
    internal sealed record Bar(string Label, double? Value, bool IsOurs);
}
