using System.Text.Json;
using Tidings.Server.Events;

namespace Tidings.Server.Features.Notifications;

/// <summary>A row of <c>notifications</c>. The one way from a row to a <see cref="NormalisedNotification"/>.</summary>
internal sealed record NotificationRow
{
    /// <summary>The columns as the properties are named.</summary>
    public const string Columns =
        "id AS Id, user_id AS UserId, place AS Place, group_key AS GroupKey, type AS Type, title AS Title, message AS Message, data AS Data, is_read AS IsRead, created_at AS CreatedAt";

    public string Id { get; init; } = "";
    public string UserId { get; init; } = "";
    public long Place { get; init; }
    public string? GroupKey { get; init; }
    public string Type { get; init; } = "";
    public string Title { get; init; } = "";
    public string Message { get; init; } = "";
    public string Data { get; init; } = "{}";
    public long IsRead { get; init; }
    public long CreatedAt { get; init; }

    /// <summary>The notification as its user sees it.</summary>
    public NormalisedNotification Normalise()
    {
        using var data = JsonDocument.Parse(Data);
        return new(Id, Type, Title, Message, data.RootElement.Clone(), IsRead != 0, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
    }
}
