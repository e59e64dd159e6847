using System.Text.Json;
using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Host;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>An account that was connected. <paramref name="Secret"/> is one that was made here, and is shown this once.</summary>
internal sealed record AccountAnswer(AccountView Account, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret)
{
    /// <summary>Printing it shows no secret.</summary>
    public override string ToString() => nameof(AccountAnswer);
}

/// <summary>A user's accounts.</summary>
internal sealed record AccountList(IReadOnlyList<AccountView> Accounts);

/// <summary>Where to send the user, who then comes back to this server.</summary>
internal sealed record AuthorizationView(AuthorizationAddress Authorization);

/// <summary>An address at the platform, and until when it is good.</summary>
internal sealed record AuthorizationAddress(string Url, DateTimeOffset ExpiresAt);

/// <summary>The shapes of the answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(AccountAnswer))]
[JsonSerializable(typeof(AccountList))]
[JsonSerializable(typeof(AuthorizationView))]
internal sealed partial class ConnectedAccountsJson : JsonSerializerContext
{
    public static ConnectedAccountsJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes of the requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ConnectAccount.Request), TypeInfoPropertyName = "ConnectAccount")]
internal sealed partial class ConnectedAccountsRequestJson : JsonSerializerContext
{
    public static ConnectedAccountsRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}

/// <summary>What a notification of an account is about: the JSON object of its data.</summary>
internal static class NotificationsData
{
    public static byte[] Of(string accountId, string platform)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("accountId", accountId);
            json.WriteString("platform", platform);
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }
}
