using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>A row of <c>payments</c>: what somebody wants to pay for, and what the provider has said of it.</summary>
internal sealed record PaymentRow
{
    public const string OfSubscription = "subscription";
    public const string OfPurchase = "purchase";
    public const string OfTip = "tip";

    public const string Pending = "pending";
    public const string Confirmed = "confirmed";
    public const string Failed = "failed";
    public const string Refunded = "refunded";

    public required string Id { get; init; }
    public required string UserId { get; init; }
    public required string Kind { get; init; }

    /// <summary>Who is paid.</summary>
    public required string CreatorId { get; init; }

    /// <summary>The post that is bought, or that a tip is for.</summary>
    public string? PostId { get; init; }

    /// <summary>The tier that is subscribed to.</summary>
    public long? Level { get; init; }

    /// <summary>As <see cref="Money"/> keeps it.</summary>
    public required string Amount { get; init; }

    public required string Currency { get; init; }

    /// <summary>What the provider calls it; null until it is known.</summary>
    public string? Reference { get; init; }

    public string Status { get; init; } = Pending;
    public long CreatedAt { get; init; }

    public PaymentView View() => new(Id, Kind, Status, Money.Read(Amount), Currency, CreatorId, PostId, Reference, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));

    public ValueTask<int> InsertAsync(IWriteUnit write) => write.ExecuteAsync(Sql.Insert, this);

    /// <summary>The statements.</summary>
    public static class Sql
    {
        public const string Insert = """
            INSERT INTO payments (id, user_id, kind, creator_id, post_id, level, amount, currency, reference, status, created_at, updated_at)
            VALUES (@Id, @UserId, @Kind, @CreatorId, @PostId, @Level, @Amount, @Currency, @Reference, @Status, @CreatedAt, @CreatedAt)
            """;

        public const string Read = """
            SELECT id AS Id, user_id AS UserId, kind AS Kind, creator_id AS CreatorId, post_id AS PostId, level AS Level, amount AS Amount,
                   currency AS Currency, reference AS Reference, status AS Status, created_at AS CreatedAt
            FROM payments WHERE id = @Id
            """;
    }
}

/// <summary>A payment as its payer and backends see it.</summary>
internal sealed record PaymentView(
    string Id, string Kind, string Status, decimal Amount, string Currency, string CreatorId, string? PostId, string? Reference, DateTimeOffset CreatedAt);

/// <summary>The answer to whatever begins a payment.</summary>
internal sealed record PaymentAnswer(PaymentView Payment);

/// <summary>The shapes of payments' answers.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(PaymentAnswer))]
internal sealed partial class PaymentsJson : JsonSerializerContext
{
    public static PaymentsJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes of payments' requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProcessPayment.Request), TypeInfoPropertyName = "ProcessPayment")]
[JsonSerializable(typeof(PurchasePost.Request), TypeInfoPropertyName = "PurchasePost")]
[JsonSerializable(typeof(SendTip.Request), TypeInfoPropertyName = "SendTip")]
[JsonSerializable(typeof(PaymentWebhook.Message), TypeInfoPropertyName = "Webhook")]
internal sealed partial class PaymentsRequestJson : JsonSerializerContext
{
    public static PaymentsRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
