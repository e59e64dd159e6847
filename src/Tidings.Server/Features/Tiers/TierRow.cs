namespace Tidings.Server.Features.Tiers;

/// <summary>A row of <c>tiers</c>.</summary>
internal sealed record TierRow
{
    /// <summary>The tiers of a creator from the lowest; takes <c>@CreatorId</c>.</summary>
    public const string OfCreator = "SELECT name AS Name, level AS Level, price AS Price, currency AS Currency FROM tiers WHERE creator_id = @CreatorId ORDER BY level";

    public string Name { get; init; } = "";
    public long Level { get; init; }
    public string Price { get; init; } = "0";
    public string Currency { get; init; } = "";

    public TierView View() => new(Name, Level, Money.Read(Price), Currency);
}
