using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Pusher;

/// <summary>The signed-in user of one connection, by <c>pusher:signin</c>: repeated by the client after each reconnect.</summary>
internal sealed class PusherSignIn(PusherContext shared, Connection connection)
{
    /// <summary>The most users that one watches.</summary>
    public const int MaxWatched = 100;

    private const int Unauthorized = 4009;
    private const int WatchlistTooLong = 4302;

    private SignedData? _user;

    /// <summary>The user as signed, or null.</summary>
    public SignedData? User => _user;

    /// <summary>Whom the user watches.</summary>
    public IReadOnlyList<string> Watched => _user is null ? [] : [.. _user.Watchlist.Take(MaxWatched)];

    /// <summary>The id of the signed-in user: by this message, or by what the handshake brought.</summary>
    public string? UserId => _user?.UserId ?? connection.Identity.UserId;

    /// <summary>Deals with the message. Whatever is wrong, the connection stays: a client whose connection is closed so would stay away for good.</summary>
    public async ValueTask HandleAsync(PusherMessage message)
    {
        if (message.ReadFields() is not { } fields || fields.GetValueOrDefault("user_data") is not { } userData)
        {
            Refuse("The sign-in needs auth and user_data.");
            return;
        }

        if (PusherSignature.Judge(shared.App, fields.GetValueOrDefault("auth"), PusherSignature.OfUser(connection.Id, userData)) != SignatureVerdict.Good)
        {
            Refuse("The signature of the sign-in is not accepted.");
            return;
        }

        if (SignedData.Read(userData, "id", takesNumber: false) is not { } user)
        {
            Refuse("user_data must be an object with the id of a user.");
            return;
        }

        switch (await shared.Engine.IdentifyAsync(connection, user.Identity))
        {
            case IdentifyResult.Done:
                var isFirst = _user is null;
                _user ??= user; // who signs in again stays as at first
                Reply(PusherJson.Event("pusher:signin_success", null, json => json.WriteString("user_data"u8, userData)));
                if (!isFirst) break;
                if (user.Watchlist.Count > MaxWatched) Reply(PusherJson.Error(WatchlistTooLong, $"A watchlist has at most {MaxWatched} users: the first are watched."));
                await shared.Watchlists.WatchAsync(connection, Watched);
                break;

            case IdentifyResult.AnotherUser:
                Refuse("The connection is signed in as another user.");
                break;

            case IdentifyResult.OverLimit:
                Refuse("The user has as many connections as allowed.");
                break;
        }
    }

    private void Refuse(string why) => Reply(PusherJson.Error(Unauthorized, why));

    private void Reply(ReadOnlyMemory<byte> frame) => connection.Send(new PusherReply(frame));
}
