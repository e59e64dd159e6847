using System.Globalization;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>
/// What it takes to see a post, as its author asks for it. A price or a tier locks a post; what is locked has a price, a tier, or both, and
/// either opens it.
/// </summary>
/// <param name="IsLocked">Whether it is locked; null: whatever price and tier say, or as it was.</param>
/// <param name="Price">What it costs; 0: it cannot be bought; null: not at all, or as it was.</param>
/// <param name="Currency">Of the price.</param>
/// <param name="Tier">A tier's name, or its level in digits; empty: no subscription opens it; null: none, or as it was.</param>
internal sealed record LockTerms(bool? IsLocked, decimal? Price, string? Currency, string? Tier)
{
    /// <summary>Reads what a request asks for; what cannot be is added to <paramref name="errors"/>.</summary>
    public static LockTerms Read(
        bool? isLocked, decimal? price, string? currency, string? tier, string? minSubscriptionTier, Dictionary<string, string[]> errors)
    {
        Money.Check("price", price, errors);
        FieldRules.Currency("currency", currency, errors);
        FieldRules.Text("tier", tier, PostLimits.TierChars, errors);
        FieldRules.Text("minSubscriptionTier", minSubscriptionTier, PostLimits.TierChars, errors);
        if (tier is not null && minSubscriptionTier is not null && tier != minSubscriptionTier)
            errors["minSubscriptionTier"] = ["This is another name of tier: leave out one of them."];
        if (isLocked == false && (price > 0 || !string.IsNullOrEmpty(tier ?? minSubscriptionTier)))
            errors["isLocked"] = ["A post that is not locked has neither a price nor a tier."];
        return new LockTerms(isLocked, price, currency, tier ?? minSubscriptionTier);
    }

    /// <summary>Whether a new post with these terms is locked.</summary>
    public bool LocksNew => IsLocked ?? (Price > 0 || !string.IsNullOrEmpty(Tier));

    /// <summary>Puts the terms on a post, inside of its unit.</summary>
    /// <returns>The post; or what is wrong with the terms, as a field's name and a sentence, the name <c>unknown_tier</c> for a tier that is not there.</returns>
    public async ValueTask<(PostRow Post, (string Field, string Message)? Problem)> ApplyAsync(IWriteUnit write, PostRow post)
    {
        var isLocked = IsLocked ?? (post.IsLocked != 0 || Price > 0 || !string.IsNullOrEmpty(Tier));
        var currency = Currency ?? post.Currency;
        if (!isLocked) return (post with { IsLocked = 0, Price = null, Tier = null, TierLevel = null, Currency = currency }, null);

        var (tier, level) = (post.Tier, post.TierLevel);
        if (Tier is { Length: 0 }) (tier, level) = (null, null);
        else if (Tier is { } asked && asked != post.Tier)
        {
            var found = await FindAsync(write, post.AuthorId, asked).ConfigureAwait(false);
            if (found is null) return (post, ("unknown_tier", "You have no such tier: set it with PUT /api/creators/me/tiers first."));
            (tier, level) = (found.Name, found.Level);
        }

        var price = Price switch { null => post.Price, 0 => null, { } given => Money.Text(given) };
        if (price is null && level is null) return (post, ("price", "A locked post needs a price or a tier: otherwise nobody can open it."));
        return (post with { IsLocked = 1, Price = price, Tier = tier, TierLevel = level, Currency = currency }, null);
    }

    private static async ValueTask<TierRow?> FindAsync(IWriteUnit write, string creatorId, string asked)
    {
        var tiers = await write.QueryAsync<TierRow>(TierRow.OfCreator, new { CreatorId = creatorId }).ConfigureAwait(false);
        return tiers.FirstOrDefault(tier => tier.Name == asked)
            ?? tiers.FirstOrDefault(tier => string.Equals(tier.Name, asked, StringComparison.OrdinalIgnoreCase))
            ?? tiers.FirstOrDefault(tier => tier.Level.ToString(CultureInfo.InvariantCulture) == asked);
    }
}
