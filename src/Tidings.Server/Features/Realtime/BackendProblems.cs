using Tidings.Realtime.Channels;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Realtime;

/// <summary>What backends get wrong in more than one endpoint.</summary>
internal static class BackendProblems
{
    /// <summary>400 for what cannot be the id of a user.</summary>
    public static IResult NotAUser() =>
        Problems.Invalid("id", $"The id of a user has 1 to {ChannelName.MaxIdLength} of A-Z a-z 0-9 . _ ~ | @ -.");

    /// <summary>Reads the name of a channel: 404 for a kind that is not there, 400 for what is no name.</summary>
    public static IResult? TryChannel(ChannelCatalog catalog, string? text, out ChannelName? channel)
    {
        var error = catalog.ParseAny(text, out channel);
        if (error == ChannelNameError.UnknownKind) return Problems.Problem(404, "unknown_channel", "There is no such kind of channel.");
        return error == ChannelNameError.None ? null : Problems.Invalid("channel", "This is not the name of a channel.");
    }

    /// <summary>503 when more was revoked in the lifetime of a token than is kept.</summary>
    public static IResult TooManyRevocations() =>
        Problems.Problem(503, "unavailable", "Too much was revoked already: change the secret instead, or shorten Tidings:Auth:MaxTokenLifetime.");
}
