using System.Text.Json.Serialization;
using Tidings.Server.Events;

namespace Tidings.Server.Features.Media;

/// <summary>A row of <c>media</c>: an uploaded file, and the post that has it.</summary>
internal sealed record MediaRow
{
    public required string Id { get; init; }
    public required string OwnerId { get; init; }
    public string? PostId { get; init; }
    public long CreatedAt { get; init; }
    public required string ContentType { get; init; }
    public long Bytes { get; init; }
    public long? Width { get; init; }
    public long? Height { get; init; }

    /// <summary>What a post with it is.</summary>
    public string Type => MediaFormat.Served(ContentType)?.Type ?? "text";

    /// <summary>Where a file is served.</summary>
    public static string UrlOf(string id) => $"/api/media/{id}";

    /// <summary>The statements.</summary>
    public static class Sql
    {
        public const string CountUnused = "SELECT COUNT(*) FROM media WHERE owner_id = @OwnerId AND post_id IS NULL";

        public const string Insert = """
            INSERT INTO media (id, owner_id, post_id, created_at, content_type, bytes, width, height)
            VALUES (@Id, @OwnerId, NULL, @CreatedAt, @ContentType, @Bytes, @Width, @Height)
            """;

        public const string Read = """
            SELECT id AS Id, owner_id AS OwnerId, post_id AS PostId, created_at AS CreatedAt, content_type AS ContentType, bytes AS Bytes,
                   width AS Width, height AS Height
            FROM media WHERE id = @Id
            """;
    }
}

/// <summary>An uploaded file; width and height in pixels, if they are known.</summary>
internal sealed record MediaAnswer(string Id, string Url, string Type, long? Width, long? Height);

/// <summary>The shapes of answers about media.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MediaAnswer))]
internal sealed partial class MediaJson : JsonSerializerContext
{
    /// <summary>With the options of all answers.</summary>
    public static MediaJson Answers => field ??= new(EventJson.Options(Default.Options));
}
