using Tidings.Realtime.Connections;
using Tidings.Server.Features.Access;

namespace Tidings.Server.ChannelAccess;

/// <summary>What a signed-in reader may see beyond the open form: for now what the reader wrote.</summary>
internal sealed class ReaderRights(string userId) : IReaderRights
{
    /// <inheritdoc />
    public bool Holds(string right) => PostRight.TryParse(right, out var post) && post.AuthorId == userId;
}
