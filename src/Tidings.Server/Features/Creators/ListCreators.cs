using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Creators;

/// <summary>
/// People by the beginning of their nickname or full name, whether or not they have posted; without a query the creators with the most
/// followers.
/// </summary>
internal static class ListCreators
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;
    private const int MaxQuery = 100;

    public static async Task<IResult> HandleAsync(
        Viewer viewer, Store store, string? query, string? limit, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, DefaultLimit, MaxLimit, out var take)) return PageLimit.Refusal(MaxLimit);

        query = query?.Trim() ?? "";
        if (query.Length > MaxQuery || query.Contains('\0', StringComparison.Ordinal))
            return Problems.Invalid("query", $"This may have at most {MaxQuery} characters.");

        // A range is a prefix match that an index serves, and in which % and _ are letters like any other.
        const string AfterAll = "\U0010FFFF";
        var key = query.ToLowerInvariant();
        var parameters = new { Me = viewer.UserId ?? "", Key = key, KeyEnd = key + AfterAll, Name = query, NameEnd = query + AfterAll, Take = take };
        var rows = await store.ReadAsync(
            async connection => (await connection.QueryAsync<CreatorRow>(query.Length == 0 ? Sql.MostFollowed : Sql.ByName, parameters)).AsList(),
            cancellationToken);
        return TypedResults.Json(new CreatorsAnswer(rows.ConvertAll(row => row.View())), CreatorsJson.Answers.CreatorsAnswer);
    }

    private static class Sql
    {
        public const string MostFollowed = $"""
            SELECT {CreatorRow.Columns} FROM users u
            WHERE u.is_creator = 1 AND {CreatorRow.NotBlocked} ORDER BY u.followers_count DESC, u.id DESC LIMIT @Take
            """;

        // The first few by each name, then the most followed of these: a prefix of one letter does not read everybody.
        public const string ByName = $"""
            WITH found (id) AS (
                SELECT id FROM (SELECT id FROM users WHERE nickname_key >= @Key AND nickname_key < @KeyEnd ORDER BY nickname_key LIMIT 200) AS by_nickname
                UNION
                SELECT id FROM (SELECT id FROM users WHERE lower(full_name) >= lower(@Name) AND lower(full_name) < lower(@NameEnd)
                                ORDER BY lower(full_name) LIMIT 200) AS by_name)
            SELECT {CreatorRow.Columns} FROM found JOIN users u ON u.id = found.id
            WHERE {CreatorRow.NotBlocked}
            ORDER BY u.nickname_key = @Key DESC, u.followers_count DESC, u.nickname_key LIMIT @Take
            """;
    }
}
