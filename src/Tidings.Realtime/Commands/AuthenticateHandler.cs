using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Commands;

/// <summary>Renews the token of a connection that is open.</summary>
internal static class AuthenticateHandler
{
    public static async ValueTask HandleAsync(RealtimeEngine engine, Connection connection, AuthenticateCommand command, CancellationToken cancellationToken)
    {
        var verdict = await engine.Authenticator.AuthenticateAsync(command.Token, cancellationToken).ConfigureAwait(false);
        if (verdict.Identity is not { } identity)
        {
            engine.Metrics.CountRefusal(verdict.IsExpired ? Refusal.TokenExpired : Refusal.InvalidToken);
            connection.Close(verdict.IsExpired ? CloseReason.TokenExpired : CloseReason.InvalidToken);
            return;
        }

        connection.Shard.Post(() =>
        {
            if (identity.UserId != connection.Identity.UserId)
            {
                connection.Write(new ErrorMessage(command.Id, ErrorCode.Forbidden, "The token is another user's."));
                return;
            }

            connection.Renew(identity);
            if (command.Id is not null) connection.Write(new AuthenticatedMessage(command.Id, identity.ExpiresAt));
        });
    }
}
