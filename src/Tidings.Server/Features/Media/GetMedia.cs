using Dapper;
using Microsoft.Net.Http.Headers;
using Tidings.Server.Auth;
using Tidings.Server.Features.Access;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Media;

/// <summary>
/// Serves a file to whoever may see all of its post, whole or in ranges. The bytes under an id never change, so whoever has them need not ask
/// again; only of a locked post's file a client asks each time whether it still may. No shared cache keeps any.
/// </summary>
internal static class GetMedia
{
    private const string Forever = "private, max-age=31536000, immutable";
    private const string AskAgain = "private, no-cache";

    public static async Task<IResult> HandleAsync(
        string id, HttpContext http, Viewer viewer, MediaFiles files, PostAccess access, Store store, CancellationToken cancellationToken)
    {
        if (await ReadAsync(store, id, cancellationToken) is not { } media) return Problems.NotFound("file");
        var mayRead = media.PostId is null
            ? media.OwnerId == viewer.UserId
            : (await access.OfAsync(viewer.UserId, media.PostId, cancellationToken)).View == PostView.Full;
        if (!mayRead) return Problems.NotFound("file");

        var path = files.PathOf(media.Id);
        if (!File.Exists(path)) return Problems.NotFound("file"); // its post was deleted just now, or the folder was lost

        var format = MediaFormat.Served(media.ContentType);
        var headers = http.Response.Headers;
        headers.CacheControl = media.IsOpen ? Forever : AskAgain;
        headers.Vary = "Authorization, Cookie";
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox"; // whatever a browser takes it for, nothing in it runs
        headers.ContentDisposition = $"inline; filename=\"{media.Id}.{format?.Extension ?? "bin"}\"";
        return TypedResults.PhysicalFile(
            path,
            format?.ContentType ?? "application/octet-stream",
            lastModified: DateTimeOffset.FromUnixTimeMilliseconds(media.CreatedAt),
            entityTag: new EntityTagHeaderValue($"\"{media.Id}\""),
            enableRangeProcessing: true);
    }

    private static Task<ServedMedia?> ReadAsync(Store store, string id, CancellationToken cancellationToken) => store.ReadAsync(
        connection => connection.QuerySingleOrDefaultAsync<ServedMedia>(Sql.Read, new { Id = id }), cancellationToken);

    /// <summary>What is needed to serve a file; open is what everybody may see for whom its author has not closed the door.</summary>
    private sealed record ServedMedia
    {
        public required string Id { get; init; }
        public required string OwnerId { get; init; }
        public string? PostId { get; init; }
        public long CreatedAt { get; init; }
        public required string ContentType { get; init; }
        public long? IsLocked { get; init; }

        public bool IsOpen => IsLocked == 0;
    }

    private static class Sql
    {
        public const string Read = """
            SELECT m.id AS Id, m.owner_id AS OwnerId, m.post_id AS PostId, m.created_at AS CreatedAt, m.content_type AS ContentType, p.is_locked AS IsLocked
            FROM media m LEFT JOIN posts p ON p.id = m.post_id WHERE m.id = @Id
            """;
    }
}
