using System.Text;
using System.Text.Json;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// What an auth endpoint has signed of a user: <c>channel_data</c> with <c>user_id</c>, or <c>user_data</c> with <c>id</c>. Our own
/// endpoint adds from what sign-in it comes and until when that holds, under the names of JSON Web Tokens; others need not.
/// </summary>
/// <param name="UserId">The user.</param>
/// <param name="Info">The JSON of <c>user_info</c>; empty if there is none.</param>
/// <param name="Identity">Who the connection becomes by it.</param>
/// <param name="Watchlist">Whom the user watches.</param>
internal sealed record SignedData(string UserId, ReadOnlyMemory<byte> Info, ClientIdentity Identity, IReadOnlyList<string> Watchlist)
{
    /// <summary>The longest text that is read, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    /// <summary>The most bytes that others get to see of a member.</summary>
    public const int MaxInfo = 1_024;

    /// <summary>Reads what was signed.</summary>
    /// <param name="text">The text as it was sent.</param>
    /// <param name="idField">The field with the user's id.</param>
    /// <param name="takesNumber">Whether the id may be a number, whose digits are the id.</param>
    /// <returns>Null if it is not JSON, or has no id that can be one.</returns>
    public static SignedData? Read(string text, string idField, bool takesNumber)
    {
        if (text.Length > MaxLength) return null;
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement, idField, takesNumber) : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static SignedData? Read(JsonElement data, string idField, bool takesNumber)
    {
        if (!data.TryGetProperty(idField, out var id)) return null;
        var userId = id.ValueKind switch
        {
            JsonValueKind.String => id.GetString(),
            JsonValueKind.Number when takesNumber => id.GetRawText(), // never through a number of ours, which would round it
            _ => null,
        };
        if (userId is null || !ClientIdentity.IsUserId(userId)) return null;

        ReadOnlyMemory<byte> info = data.TryGetProperty("user_info", out var userInfo) && userInfo.ValueKind != JsonValueKind.Null
            ? OneLine(userInfo) : default(ReadOnlyMemory<byte>);
        var identity = new ClientIdentity(userId, Instant(data, "exp"), data.TryGetProperty("sid", out var sid) && sid.ValueKind == JsonValueKind.String ? sid.GetString() : null)
        {
            IssuedAt = Instant(data, "iat"),
        };
        return new SignedData(userId, info, identity, Watched(data));
    }

    private static ReadOnlyMemory<byte> OneLine(JsonElement value) => Native.CommandParser.OneLine(Encoding.UTF8.GetBytes(value.GetRawText()));

    private static DateTimeOffset? Instant(JsonElement data, string field) =>
        data.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) && seconds is > 0 and < 253_402_300_800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private static List<string> Watched(JsonElement data)
    {
        if (!data.TryGetProperty("watchlist", out var list) || list.ValueKind != JsonValueKind.Array) return [];
        return [.. list.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.String).Select(static item => item.GetString()!)];
    }
}
