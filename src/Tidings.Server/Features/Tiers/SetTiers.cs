using System.Text.Json.Serialization;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Tiers;

/// <summary>A tier as clients see it and name it.</summary>
internal sealed record TierView(string Name, long Level, decimal Price, string Currency);

/// <summary>
/// Says what a creator sells: the whole list, which takes the place of the one before. Who subscribes keeps the level that was paid for,
/// and posts keep the level that they were locked at, whatever becomes of the tiers.
/// </summary>
internal static class SetTiers
{
    private const int MaxBody = 16 * 1024;
    private const int MaxTiers = 20;
    private const int MaxLevel = 1_000;
    private const int NameChars = 50;

    public sealed record Request(string? Name, long? Level, decimal? Price, string? Currency);

    public static async Task<IResult> HandleAsync(HttpRequest http, CurrentUser creator, Store store, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http, TiersJson.Strict.ListRequest, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } asked) return body.Problem!;

        var errors = Check(asked);
        if (errors.Count > 0) return Problems.Invalid(errors);

        var tiers = asked.Select(static tier => new TierView(tier!.Name!, tier.Level!.Value, tier.Price!.Value, tier.Currency ?? "SOL")).OrderBy(static tier => tier.Level).ToList();
        var isThere = await store.WriteAsync(
            async write =>
            {
                if (await write.QuerySingleOrDefaultAsync<string>(Sql.LockCreator, new { creator.Id }) is null) return false;
                await write.ExecuteAsync(Sql.Clear, new { creator.Id });
                foreach (var tier in tiers)
                    await write.ExecuteAsync(Sql.Insert, new { creator.Id, tier.Level, tier.Name, Price = Money.Text(tier.Price), tier.Currency });
                return true;
            },
            cancellationToken);
        return isThere
            ? TypedResults.Json(tiers, TiersJson.Answers.ListTierView)
            : Problems.Problem(401, "unknown_user", "This account does not exist any more.");
    }

    private static Dictionary<string, string[]> Check(List<Request?> tiers)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (tiers.Count > MaxTiers) errors["tiers"] = [$"There may be at most {MaxTiers} tiers."];
        var (names, levels) = (new HashSet<string>(StringComparer.OrdinalIgnoreCase), new HashSet<long>());
        for (var index = 0; index < Math.Min(tiers.Count, MaxTiers); index++)
        {
            var (at, tier) = ($"[{index}]", tiers[index]);
            if (tier is null)
            {
                errors[at] = ["A tier is an object."];
                continue;
            }

            FieldRules.Text($"{at}.name", tier.Name, NameChars, errors);
            FieldRules.Currency($"{at}.currency", tier.Currency, errors);
            if (string.IsNullOrWhiteSpace(tier.Name)) errors[$"{at}.name"] = ["A tier needs a name."];
            else if (!names.Add(tier.Name)) errors[$"{at}.name"] = ["Another tier has this name."];
            if (tier.Level is not (>= 1 and <= MaxLevel)) errors[$"{at}.level"] = [$"A level is a whole number from 1 to {MaxLevel}."];
            else if (!levels.Add(tier.Level.Value)) errors[$"{at}.level"] = ["Another tier has this level."];
            if (tier.Price is null) errors[$"{at}.price"] = ["A tier needs a price."];
            else Money.Check($"{at}.price", tier.Price, errors);
        }

        return errors;
    }

    private static class Sql
    {
        public const string LockCreator = "SELECT id FROM users WHERE id = @Id /*FOR UPDATE*/";
        public const string Clear = "DELETE FROM tiers WHERE creator_id = @Id";
        public const string Insert = "INSERT INTO tiers (creator_id, level, name, price, currency) VALUES (@Id, @Level, @Name, @Price, @Currency)";
    }
}

/// <summary>The shapes of tiers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(List<SetTiers.Request>), TypeInfoPropertyName = "ListRequest")]
[JsonSerializable(typeof(List<TierView>), TypeInfoPropertyName = "ListTierView")]
internal sealed partial class TiersJson : JsonSerializerContext
{
    public static TiersJson Answers => field ??= new(EventJson.Options(Default.Options));

    public static TiersJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
