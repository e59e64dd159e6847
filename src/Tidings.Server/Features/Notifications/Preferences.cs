using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Notifications;

/// <summary>Which types of notifications a user wants: all but those that were switched off. What is switched off is not kept for later.</summary>
internal static class Preferences
{
    private const int MaxBody = 16 * 1024;
    private const int MostMuted = 200;

    public sealed record Request
    {
        /// <summary>The types by name, true for those that are wanted; those that are not named stay as they are.</summary>
        public IReadOnlyDictionary<string, bool>? Preferences { get; init; }
    }

    public static async Task<IResult> GetAsync(CurrentUser user, Store store, CancellationToken cancellationToken) =>
        Answer(await store.QueryAsync<string>(Sql.Muted, new { UserId = user.Id }, cancellationToken));

    public static async Task<IResult> PutAsync(HttpRequest http, CurrentUser user, Store store, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http, NotificationsRequestJson.Strict.PutPreferences, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        if (request.Preferences is not { } wishes) return Problems.Invalid("preferences", "This is required.");
        if (wishes.Count > MostMuted || !wishes.Keys.All(NotificationTypes.IsType))
            return Problems.Invalid("preferences", $"These are at most {MostMuted} types, such as {NotificationTypes.LikePost}, with true or false.");

        var muted = await store.WriteAsync(
            async write =>
            {
                foreach (var wanted in wishes.Where(wish => wish.Value).Select(wish => wish.Key).Order(StringComparer.Ordinal))
                    await write.ExecuteAsync(Sql.Unmute, new { UserId = user.Id, Type = wanted });
                foreach (var unwanted in wishes.Where(wish => !wish.Value).Select(wish => wish.Key).Order(StringComparer.Ordinal))
                    await write.ExecuteAsync(Sql.Mute, new { UserId = user.Id, Type = unwanted, Most = MostMuted });
                return await write.QueryAsync<string>(Sql.Muted, new { UserId = user.Id });
            },
            cancellationToken);
        return Answer(muted);
    }

    private static JsonHttpResult<PreferencesAnswer> Answer(IReadOnlyList<string> muted)
    {
        var all = new SortedDictionary<string, bool>(StringComparer.Ordinal);
        foreach (var type in NotificationTypes.Ours) all[type] = true;
        foreach (var type in muted) all[type] = false;
        return TypedResults.Json(new PreferencesAnswer(all), NotificationsJson.Answers.PreferencesAnswer);
    }

    private static class Sql
    {
        public const string Muted = "SELECT type FROM muted_notifications WHERE user_id = @UserId";

        public const string Mute = """
            INSERT INTO muted_notifications (user_id, type)
            SELECT @UserId, @Type WHERE (SELECT COUNT(*) FROM muted_notifications WHERE user_id = @UserId) < @Most
            ON CONFLICT (user_id, type) DO NOTHING
            """;

        public const string Unmute = "DELETE FROM muted_notifications WHERE user_id = @UserId AND type = @Type";
    }
}
