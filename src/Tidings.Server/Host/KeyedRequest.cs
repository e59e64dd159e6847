using Tidings.Server.Storage;

namespace Tidings.Server.Host;

/// <summary>
/// A request whose repetitions get the first answer. Without a key each request stands for itself. A unit first calls
/// <see cref="FindAsync"/>, then does what may refuse the request, then <see cref="KeepAsync"/>, and only then has an effect: so a
/// refusal spends no key, and of twins one has the effect.
/// </summary>
/// <param name="UserId">Whose keys these are.</param>
/// <param name="Key">The key, or null.</param>
/// <param name="Fingerprint">What tells a repetition from another request; null without a key.</param>
/// <param name="Now">The time of the request.</param>
internal sealed record KeyedRequest(string UserId, string? Key, byte[]? Fingerprint, DateTimeOffset Now)
{
    /// <summary>The answer that was given already; null if there is none.</summary>
    public ValueTask<FirstAnswer?> FindAsync(IWriteUnit write) => Key is null ? default : write.FindFirstAsync(UserId, Key, Now);

    /// <summary>Keeps the answer. A twin was faster if this is not null: then the unit does nothing more than return that.</summary>
    public ValueTask<FirstAnswer?> KeepAsync(IWriteUnit write, int status, byte[] body, string? location) => Key is null
        ? default
        : write.KeepFirstAsync(UserId, Key, Now, new FirstAnswer { RequestHash = Fingerprint!, Status = status, Location = location, Body = body });

    /// <summary>What a repetition is told: the first answer, or 422 if it is another request.</summary>
    public IResult Repeat(FirstAnswer first) =>
        first.RequestHash.AsSpan().SequenceEqual(Fingerprint)
            ? new JsonAnswer((int)first.Status, first.Body, first.Location)
            : Problems.Problem(422, "idempotency_key_reused", "This Idempotency-Key was used for another request.");
}
