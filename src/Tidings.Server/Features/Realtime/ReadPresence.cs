using System.Text.Json;
using System.Text.Json.Serialization;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.Events;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Realtime;

/// <summary>Tells the host app's backend who is in a channel: as many as a client would be told, and how many there are.</summary>
internal static class ReadPresence
{
    public sealed record Member(string UserId, JsonElement? Info);

    public sealed record Answer(string Channel, IReadOnlyList<Member> Members, int Count);

    public static async Task<IResult> HandleAsync(string name, RealtimeEngine engine, CancellationToken cancellationToken)
    {
        var isNamed = engine.Catalog.Parse(name, out var channel);
        if (isNamed == ChannelNameError.UnknownKind) return Problems.Problem(404, "unknown_channel", "There is no such kind of channel.");
        if (isNamed != ChannelNameError.None || channel is null) return Problems.Invalid("name", "This is not the name of a channel.");
        if (engine.Catalog.RulesOf(channel).Presence == PresenceRule.None)
            return Problems.Problem(404, "no_presence", "This kind of channel does not know who is in it: see Tidings:Channels:<kind>:Presence.");

        var list = await engine.ReadPresenceAsync(channel, cancellationToken);
        return TypedResults.Json(new Answer(channel.Value, [.. list.Members.Select(Shown)], list.Count), PresenceJson.Answers.Answer);
    }

    private static Member Shown(PresenceMember member)
    {
        if (member.Info.IsEmpty) return new Member(member.UserId, null);
        var reader = new Utf8JsonReader(member.Info.Span);
        return new Member(member.UserId, JsonElement.ParseValue(ref reader));
    }
}

/// <summary>The shape of the answer.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ReadPresence.Answer))]
internal sealed partial class PresenceJson : JsonSerializerContext
{
    public static PresenceJson Answers => field ??= new(EventJson.Options(Default.Options));
}
