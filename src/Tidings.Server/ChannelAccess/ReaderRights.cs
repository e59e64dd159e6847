using System.Text.Json;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Tidings.Server.Features.Access;

namespace Tidings.Server.ChannelAccess;

/// <summary>What a signed-in reader may see beyond the open form, and what not even that: as it is when an event is sent or replayed.</summary>
internal sealed class ReaderRights(UserRights user) : IReaderRights
{
    /// <inheritdoc />
    public bool Holds(string right) =>
        PostRight.TryParse(right, out var post) && user.ViewOf(post.PostId, post.AuthorId, isLocked: true, post.Level) == PostView.Full;

    /// <inheritdoc />
    public bool Hides(Publication publication)
    {
        // Other channels end for whoever is apart from their author; in this one are the posts of everybody.
        if (publication.Channel.Kind != "public" || !user.IsApartFromSomebody) return false;
        return AuthorOf(publication.Draft.Payload.Span) is { } author && user.IsApartFrom(author);
    }

    /// <summary>The <c>userId</c> of a <c>post_created</c>; null if there is none.</summary>
    private static string? AuthorOf(ReadOnlySpan<byte> payload)
    {
        var reader = new Utf8JsonReader(payload);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1) continue;
            var isAuthor = reader.ValueTextEquals("userId"u8);
            reader.Read();
            if (isAuthor) return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            reader.Skip();
        }

        return null;
    }
}
