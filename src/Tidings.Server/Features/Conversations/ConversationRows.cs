using System.Data.Common;
using System.Text.Json;
using Dapper;
using Tidings.Server.Events;

namespace Tidings.Server.Features.Conversations;

/// <summary>A row of <c>conversations</c> with what the viewer's membership adds.</summary>
internal sealed record ConversationRow
{
    /// <summary>The columns as the properties are named; needs <c>conversation_members m JOIN conversations c</c>.</summary>
    public const string Columns = """
        c.id AS Id, c.kind AS Kind, c.title AS Title, c.created_at AS CreatedAt, c.last_place AS LastPlace, c.active_at AS ActiveAt, m.read_place AS ReadPlace
        """;

    public string Id { get; init; } = "";
    public string Kind { get; init; } = "";
    public string Title { get; init; } = "";
    public long CreatedAt { get; init; }
    public long LastPlace { get; init; }
    public long ActiveAt { get; init; }
    public long ReadPlace { get; init; }

    /// <summary>The conversations as the viewer sees them, with their members and latest messages.</summary>
    public static async Task<List<ConversationView>> ViewAsync(DbConnection connection, List<ConversationRow> rows)
    {
        var asked = new { Ids = JsonSerializer.Serialize(rows.Select(row => row.Id)) };
        var members = (await connection.QueryAsync<MemberRow>(Sql.Members, asked).ConfigureAwait(false)).ToLookup(row => row.ConversationId, StringComparer.Ordinal);
        var latest = (await connection.QueryAsync<MessageRow>(Sql.Latest, asked).ConfigureAwait(false))
            .ToDictionary(row => row.ConversationId, row => row.Normalise(), StringComparer.Ordinal);
        return rows.ConvertAll(row => new ConversationView(
            row.Id,
            row.Kind,
            row.Title,
            [.. members[row.Id].OrderBy(member => member.UserId, StringComparer.Ordinal).Select(member => member.View())],
            latest.GetValueOrDefault(row.Id),
            row.LastPlace - row.ReadPlace,
            DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt)));
    }

    private static class Sql
    {
        public const string Members =
            $"SELECT {MemberRow.Columns} FROM conversation_members m JOIN users u ON u.id = m.user_id WHERE m.conversation_id IN (SELECT value FROM json_each(@Ids))";

        public const string Latest = $"""
            SELECT {MessageRow.Columns}
            FROM conversations c JOIN messages x ON x.conversation_id = c.id AND x.place = c.last_place JOIN users u ON u.id = x.author_id
            WHERE c.id IN (SELECT value FROM json_each(@Ids))
            """;
    }
}

/// <summary>A row of <c>conversation_members</c> with what the user's row adds.</summary>
internal sealed record MemberRow
{
    /// <summary>The columns as the properties are named; needs <c>conversation_members m JOIN users u</c>.</summary>
    public const string Columns = """
        m.conversation_id AS ConversationId, m.user_id AS UserId, m.read_place AS ReadPlace,
        u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator
        """;

    public string ConversationId { get; init; } = "";
    public string UserId { get; init; } = "";
    public long ReadPlace { get; init; }
    public string Nickname { get; init; } = "";
    public string? FullName { get; init; }
    public string? Avatar { get; init; }
    public long IsCreator { get; init; }

    public MemberView View() => new(UserId, Nickname, FullName ?? "", Avatar, IsCreator != 0, ReadPlace);

    public PostCreator Person() => new(UserId, Nickname, FullName ?? "", Avatar, IsCreator != 0);
}

/// <summary>A row of <c>messages</c> with what its author's row adds. The one way from a row to a <see cref="NormalisedMessage"/>.</summary>
internal sealed record MessageRow
{
    /// <summary>The columns as the properties are named; needs <c>messages x JOIN users u</c>.</summary>
    public const string Columns = """
        x.id AS Id, x.conversation_id AS ConversationId, x.author_id AS AuthorId, x.place AS Place, x.created_at AS CreatedAt, x.content AS Content,
        u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator
        """;

    public string Id { get; init; } = "";
    public string ConversationId { get; init; } = "";
    public string AuthorId { get; init; } = "";
    public long Place { get; init; }
    public long CreatedAt { get; init; }
    public string Content { get; init; } = "";
    public string Nickname { get; init; } = "";
    public string? FullName { get; init; }
    public string? Avatar { get; init; }
    public long IsCreator { get; init; }

    public NormalisedMessage Normalise() => new(
        Id,
        ConversationId,
        new PostCreator(AuthorId, Nickname, FullName ?? "", Avatar, IsCreator != 0),
        Content,
        Place,
        DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
}
