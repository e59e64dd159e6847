using System.Globalization;

namespace Tidings.Server.Features.Tiers;

/// <summary>
/// Amounts of money: decimal numbers, kept as text so that no digit is lost. Equal amounts have equal texts (<c>1.50</c> is <c>1.5</c>).
/// </summary>
internal static class Money
{
    /// <summary>The largest amount of any currency.</summary>
    public const decimal Most = 1_000_000_000m;

    /// <summary>The most digits behind the point: as many as the finest currencies have.</summary>
    public const int Scale = 18;

    private const string Format = "0.##################";

    /// <summary>An amount as it is kept.</summary>
    public static string Text(decimal amount) => amount.ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>An amount that was kept.</summary>
    public static decimal Read(string text) => decimal.Parse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);

    /// <summary>An amount that was given: not below zero, not above the most, no more digits than are kept.</summary>
    public static void Check(string field, decimal? amount, Dictionary<string, string[]> errors)
    {
        if (amount is not { } given) return;
        if (given < 0) errors[field] = ["A price is not below zero."];
        else if (given > Most) errors[field] = [$"A price may be at most {Most.ToString("N0", CultureInfo.InvariantCulture)}."];
        else if (decimal.Round(given, Scale) != given) errors[field] = [$"A price has at most {Scale} digits behind the point."];
    }
}
