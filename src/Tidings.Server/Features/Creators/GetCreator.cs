using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Creators;

/// <summary>One creator, unless one of the two has blocked the other.</summary>
internal static class GetCreator
{
    public static async Task<IResult> HandleAsync(string id, Viewer viewer, Store store, CancellationToken cancellationToken)
    {
        var (row, tiers) = await store.ReadAsync(
            async connection => (
                await connection.QuerySingleOrDefaultAsync<CreatorRow>(Sql.Creator, new { Id = id, Me = viewer.UserId ?? "" }),
                (await connection.QueryAsync<TierRow>(TierRow.OfCreator, new { CreatorId = id })).AsList()),
            cancellationToken);
        return row is null
            ? Problems.NotFound("creator")
            : TypedResults.Json(new CreatorAnswer(row.View(), tiers.ConvertAll(tier => tier.View())), CreatorsJson.Answers.CreatorAnswer);
    }

    private static class Sql
    {
        public const string Creator = $"SELECT {CreatorRow.Columns} FROM users u WHERE u.id = @Id AND {CreatorRow.NotBlocked}";
    }
}
