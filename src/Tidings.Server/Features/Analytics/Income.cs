using Tidings.Server.Features.Tiers;

namespace Tidings.Server.Features.Analytics;

/// <summary>A row of a confirmed payment.</summary>
internal interface IIncome
{
    /// <summary>As <see cref="Money"/> keeps it.</summary>
    string Amount { get; }

    string Currency { get; }
}

/// <summary>A payment of a day.</summary>
internal sealed record IncomeRow : IIncome
{
    public long Day { get; init; }
    public string Amount { get; init; } = "0";
    public string Currency { get; init; } = "";
}

/// <summary>What came in, in one currency.</summary>
internal sealed record Income(string Currency, decimal Amount)
{
    /// <summary>The sums of payments: currencies are never added to each other.</summary>
    public static IReadOnlyList<Income> Of(IEnumerable<IIncome> payments) =>
    [
        .. payments.GroupBy(static payment => payment.Currency, StringComparer.Ordinal)
            .Select(static currency => new Income(currency.Key, currency.Sum(static payment => Money.Read(payment.Amount))))
            .OrderBy(static income => income.Currency, StringComparer.Ordinal),
    ];
}
