namespace Tidings.Server.Publishing;

/// <summary>A platform where the user may agree on the platform's own page (OAuth) instead of giving a token.</summary>
internal interface IAuthorizingConnector : IPublishingConnector
{
    /// <summary>Whether these credentials ask for that: there is no token in them.</summary>
    bool WantsAuthorization(ConnectRequest request);

    /// <summary>Where the user is to be sent, and what is kept until they are back.</summary>
    /// <param name="request">What the user gave.</param>
    /// <param name="callback">Where the platform sends the user back to.</param>
    /// <param name="state">What it sends along.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<AuthorizationAnswer> BeginAsync(ConnectRequest request, Uri callback, string state, CancellationToken cancellationToken);

    /// <summary>Makes an account of the code that the user came back with.</summary>
    /// <param name="kept">What <see cref="BeginAsync"/> kept.</param>
    /// <param name="baseUrl">The server that the user was sent to.</param>
    /// <param name="callback">The same as at the beginning.</param>
    /// <param name="code">The platform's.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<ConnectAnswer> FinishAsync(string kept, Uri baseUrl, Uri callback, string code, CancellationToken cancellationToken);
}

/// <summary>Where a user is to be sent to agree, or why not.</summary>
/// <param name="Kept">A secret; encrypted at rest.</param>
internal sealed record AuthorizationAnswer(Uri? Url, Uri? BaseUrl, string? Kept, (string Field, string Message)? Problem)
{
    public static AuthorizationAnswer Refused(string field, string message) => new(null, null, null, (field, message));

    /// <summary>Printing it shows no secrets.</summary>
    public override string ToString() => nameof(AuthorizationAnswer);
}
