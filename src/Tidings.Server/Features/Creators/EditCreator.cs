using System.Text.Json.Serialization;
using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Creators;

/// <summary>Changes what the signed-in user lets others see. A field that is absent or null stays as it is.</summary>
internal static class EditCreator
{
    private const int MaxBody = 4 * 1024;

    public sealed record Request
    {
        /// <summary>Whether to be in the list of who is online.</summary>
        public bool? ShowOnline { get; init; }
    }

    /// <summary>What the user gets, and nobody else: what others see, and the user's own wishes.</summary>
    public sealed record Answer(CreatorView Creator, bool ShowOnline);

    public static async Task<IResult> HandleAsync(
        HttpRequest http, CurrentUser user, Store store, MemberChanges changes, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http, EditCreatorJson.Strict.Request, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        if (request.ShowOnline is { } wish)
        {
            var changed = await store.WriteAsync(write => write.ExecuteAsync(Sql.ShowOnline, new { user.Id, Wish = wish ? 1L : 0L }), cancellationToken);
            if (changed > 0) changes.Tell(user.Id);
        }

        var (row, showsOnline) = await store.ReadAsync(
            async connection => (
                await connection.QuerySingleOrDefaultAsync<CreatorRow>(Sql.Creator, new { user.Id, Me = user.Id }),
                await connection.ExecuteScalarAsync<long>(Sql.ShowsOnline, new { user.Id })),
            cancellationToken);
        return row is null
            ? Problems.NotFound("creator")
            : TypedResults.Json(new Answer(row.View(), showsOnline != 0), EditCreatorJson.Answers.Answer);
    }

    private static class Sql
    {
        public const string ShowOnline = "UPDATE users SET show_online = @Wish WHERE id = @Id AND show_online <> @Wish";

        public const string ShowsOnline = "SELECT show_online FROM users WHERE id = @Id";

        public const string Creator = $"SELECT {CreatorRow.Columns} FROM users u WHERE u.id = @Id";
    }
}

/// <summary>The shapes of what a creator changes.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EditCreator.Request))]
[JsonSerializable(typeof(EditCreator.Answer))]
internal sealed partial class EditCreatorJson : JsonSerializerContext
{
    public static EditCreatorJson Answers => field ??= new(EventJson.Options(Default.Options));

    public static EditCreatorJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
