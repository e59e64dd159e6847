using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>One payment, for who makes it and for backends.</summary>
internal static class GetPayment
{
    public static async Task<IResult> HandleAsync(string id, HttpContext http, Store store, CancellationToken cancellationToken)
    {
        var payment = await store.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<PaymentRow>(PaymentRow.Sql.Read, new { Id = id }), cancellationToken);
        return payment is not null && (SignedIn.IsBackend(http.User) || payment.UserId == SignedIn.UserIdOf(http.User))
            ? TypedResults.Json(new PaymentAnswer(payment.View()), PaymentsJson.Answers.PaymentAnswer)
            : Problems.NotFound("payment");
    }
}
