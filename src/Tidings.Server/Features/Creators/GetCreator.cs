using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Creators;

/// <summary>One creator.</summary>
internal static class GetCreator
{
    public static async Task<IResult> HandleAsync(string id, Viewer viewer, Store store, CancellationToken cancellationToken)
    {
        var row = await store.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<CreatorRow>(Sql.Creator, new { Id = id, Me = viewer.UserId ?? "" }), cancellationToken);
        return row is null ? Problems.NotFound("creator") : TypedResults.Json(new CreatorAnswer(row.View()), CreatorsJson.Answers.CreatorAnswer);
    }

    private static class Sql
    {
        public const string Creator = $"SELECT {CreatorRow.Columns} FROM users u WHERE u.id = @Id";
    }
}
