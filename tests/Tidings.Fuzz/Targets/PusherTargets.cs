using System.Text;
using System.Text.Json;
using Tidings.Protocols.Pusher;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Features.Pusher;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>What Pusher's clients and server libraries send.</summary>
internal static class PusherTargets
{
    private static readonly PusherApp App = new("3", "key", "secret");

    public static IReadOnlyList<Target> List { get; } =
    [
        new("pusher-message", ["{", "}", "\"event\"", ":", "\"data\"", "\"channel\"", "\"client-x\"", "\"pusher:subscribe\"", "\\ud800", "\\\"", "null", "[", "]", ","], Message),
        new("pusher-user", ["{", "}", "\"user_id\"", "\"id\"", "\"user_info\"", "\"watchlist\"", "\"exp\"", "1e99", "12345678901234567890", "\\u0000", "\\ud800", ":", ","], User),
        new("pusher-name", ["private-", "presence-", "cache-", "encrypted-", "#server-to-user-", "post-", "post_", ":", "%", "é", "="], Name),
        new("pusher-trigger", ["{", "}", "\"name\"", "\"data\"", "\"channel\"", "\"channels\"", "\"socket_id\"", "\"info\"", "[", "]", "\"1.2\"", "\"a\"", "\\n", "\\ud800", ":", ","], Event),
        new("pusher-request", ["?", "&", "=", "%2C", "%", "auth_key=key", "auth_version=1.0", "auth_timestamp=0", "auth_signature=", "body_md5=", "a[]=", "+"], Request),
    ];

    private static void Message(byte[] input)
    {
        var wrong = PusherMessage.Read(input, out var message);
        Unless(wrong is null == message is not null, "neither a message nor a mistake");
        if (message is null) return;
        _ = message.ReadFields();
        if (message.Data.IsEmpty) return;
        Unless(message.Data.Span.IndexOfAny((byte)'\r', (byte)'\n') < 0, "data of two lines");
        var payload = ClientEvents.Wrap("\"u\"", message.Data.Span);
        using var document = JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = 64 });
        Unless(document.RootElement.EnumerateObject().Count() == 2, "data that breaks out of its place");
        Unless(ClientEvents.Unwrap(payload).UserId == "\"u\"", "another sender");
    }

    private static void User(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (SignedData.Read(text, "user_id", takesNumber: true) is { } user)
        {
            Unless(user.UserId.Length is > 0 and <= 128 && !user.UserId.Any(char.IsControl), "an id that is none");
            Unless(user.Info.IsEmpty || JsonLine.Is(user.Info.Span), "info that is no JSON on one line");
        }
    }

    private static void Name(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (new PusherName(text).Find(NameTargets.Catalog, out var channel) != ChannelNameError.None) return;
        Unless(ChannelName.TryParse(channel!.Value, out var again) && again == channel, "a name that other nodes can't read");
        Unless(channel.IsForeign || NameTargets.Catalog.Kinds.ContainsKey(channel.Kind), "a kind that is not there");
        _ = NameTargets.Catalog.RulesOf(channel);
    }

    private static void Event(byte[] input)
    {
        try
        {
            using var document = JsonDocument.Parse(input);
            if (Trigger.TryRead(document.RootElement, NameTargets.Catalog, DateTimeOffset.UnixEpoch, 0, out var trigger) is not null) return;
            foreach (var draft in trigger!.Publications) Unless(JsonLine.Is(draft.Payload.Span), "a payload that is no JSON on one line");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The caller answers with 400.
        }
    }

    private static void Request(byte[] input)
    {
        var target = Encoding.Latin1.GetString(input);
        Unless(AppSignature.FindProblem(App, "POST", target, "{}"u8, DateTimeOffset.UnixEpoch) is not null, "a forged signature");
    }
}
