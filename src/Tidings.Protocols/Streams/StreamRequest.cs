using Microsoft.AspNetCore.Http;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Streams;

/// <summary>One channel that a stream asks for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Since">The place after which the client wants to go on; null for live events only.</param>
/// <param name="Token">The subscription token that opens it; null if there is none.</param>
internal sealed record StreamChannel(ChannelName Name, Position? Since, string? Token);

/// <summary>What a request for an event stream or a poll asks for.</summary>
/// <param name="Channels">The channels, each once.</param>
/// <param name="IsResume">Whether the client was here before, so that a channel it may no longer read is dropped instead of refused.</param>
/// <param name="HasToken">Whether its places came in a token, so that a channel that is missing from it was missed altogether.</param>
internal sealed record StreamRequest(IReadOnlyList<StreamChannel> Channels, bool IsResume, bool HasToken)
{
    /// <summary>
    /// Reads <c>channels</c>, <c>tokens</c> and the places: <c>Last-Event-ID</c>, else <c>since</c>, else <c>positions</c> (tokens and
    /// positions one for each channel, empty where there is none). A place that can't be read is one that can't be recovered.
    /// </summary>
    /// <returns>Null, or what is wrong.</returns>
    public static (ErrorCode Code, string Detail)? TryRead(HttpRequest request, ChannelCatalog catalog, out StreamRequest? result)
    {
        result = null;
        var names = Split(request.Query["channels"]);
        if (names.Length == 0) return (ErrorCode.BadRequest, "Name the channels: ?channels=feed:42,post:7");
        if (names.Length > StreamToken.MaxChannels) return (ErrorCode.TooManySubscriptions, $"A stream has at most {StreamToken.MaxChannels} channels.");

        var token = NotEmpty(request.Headers["Last-Event-ID"]) ?? NotEmpty(request.Query["since"]);
        var positions = request.Query["positions"].ToString().Split(',');
        var hasPositions = token is null && Array.Exists(positions, static position => position.Length > 0);
        if (hasPositions && positions.Length != names.Length) return (ErrorCode.BadRequest, "positions must have as many entries as channels.");

        var tokens = Split(request.Query["tokens"]);
        if (tokens.Length > 0 && tokens.Length != names.Length) return (ErrorCode.BadRequest, "tokens must have as many entries as channels.");

        Dictionary<uint, Position>? places = null;
        var isReadable = token is not null && StreamToken.TryRead(token, out places);

        var channels = new List<StreamChannel>(names.Length);
        for (var index = 0; index < names.Length; index++)
        {
            switch (catalog.Parse(names[index], out var name))
            {
                case ChannelNameError.UnknownKind:
                    return (ErrorCode.UnknownChannel, "There is no such kind of channel.");
                case ChannelNameError.Malformed:
                    return (ErrorCode.BadRequest, "channels has something that is not the name of a channel.");
            }

            if (channels.Exists(known => known.Name == name)) continue; // the same one in another spelling
            Position? since = isReadable ? (places!.TryGetValue(StreamToken.MarkOf(name!), out var place) ? place : null)
                : token is not null ? CommandParser.Unrecoverable
                : hasPositions && positions[index].Length > 0 ? CommandParser.PositionOf(positions[index])
                : null;
            channels.Add(new StreamChannel(name!, since, tokens.Length > 0 ? NotEmpty(tokens[index]) : null));
        }

        result = new StreamRequest(channels, token is not null || hasPositions, isReadable);
        return null;
    }

    private static string[] Split(string? text) => string.IsNullOrEmpty(text) ? [] : text.Split(',');

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
