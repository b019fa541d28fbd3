#include "sample_tables.h"

const char *const sample_texts[REFERENCE_FILE_COUNT] = {
    [VOCABULARY_SECTORS] =
        "code,label_en,label_fr,synonyms_en,synonyms_fr\n"
        "ai,Artificial intelligence,Intelligence artificielle,AI;machine intelligence,IA\n"
        "ai.ml,Machine learning,Apprentissage automatique,ML,\n"
        "fin,Finance,Finance,fintech;financial services,services financiers\n"
        "fin.pay,Payments,Paiements,payment,paiement\n"
        "agri,Farming,Agriculture,agtech,agritech\n",
    [VOCABULARY_NEEDS] = "code,label_en,label_fr,synonyms_en,synonyms_fr\n"
                         "space,Premises,Locaux,,\n"
                         "space.desk,Desk,Poste de travail,hot desk,\n"
                         "legal,Legal advice,Conseil juridique,,\n",
    [VOCABULARY_STAGES] = "code,order,label_en,label_fr,synonyms_en,synonyms_fr\n"
                          "idea,1,Idea,Idée,concept,\n"
                          "seed,2,Seed,Amorçage,,\n"
                          "a,4,Series A,Série A,,\n"
                          "self,,Self-funded,Autofinancée,,\n",
    [VOCABULARY_METROS] =
        "code,country,time_zone,latitude,longitude,label_en,label_fr,synonyms_en,synonyms_fr\n"
        "paris,FR,Europe/Paris,48856600,2352200,Paris region,Région parisienne,,Île-de-France\n"
        "silicon-valley,US,America/Los_Angeles,37774900,-122419400,Bay Area,Baie,SF,\n"
        "london,GB,Europe/London,51507400,-127800,London,Londres,,\n",
    [VOCABULARY_KINDS] = "code,label_en,label_fr,synonyms_en,synonyms_fr\n"
                         "startup,Startup,Startup,,\n"
                         "incubator,Incubator,Incubateur,,\n"
                         "investor,Investor,Investisseur,,\n",
    [VOCABULARY_OUTCOMES] = "code,positive,label_en,label_fr\n"
                            "hosted,1,Hosted,Accueilli\n"
                            "declined,0,Declined,Refusé\n",
    [VOCABULARY_COUNTRIES] = "code,label_en,label_fr,synonyms_en\n"
                             "FR,France,France,FRA\n"
                             "US,United States,États-Unis,USA\n"
                             "GB,United Kingdom,Royaume-Uni,GBR\n",
    [VOCABULARY_LANGUAGES] = "code,label_en,label_fr\n"
                             "en,English,anglais\n"
                             "fr,French,français\n"
                             "de,German,allemand\n",
    [VOCABULARY_CURRENCIES] = "code,label_en,label_fr,symbols,synonyms_en,synonyms_fr\n"
                              "USD,US dollar,Dollar américain,$;US$,dollars,\n"
                              "EUR,Euro,Euro,€,,\n",
    [REFERENCE_RATES] = "currency,rate_ppm,date,source\n"
                        "USD,1000000,2000-01-01,definition\n"
                        "EUR,1100000,2024-01-01,made up\n"
                        "EUR,1250000,2025-01-01,made up\n",
    [REFERENCE_PHRASES] = "code,label_en,label_fr,for_en,for_fr,against_en,against_fr,weight\n"
                          "overlap,Shared,Partagé,In common: {shared}.,En commun : {shared}.,"
                          "Nothing in common.,Rien en commun.,10\n"
                          "traction,Traction,Traction,Enough people.,Assez de monde.,,,5\n",
    [REFERENCE_MESSAGES] = "key,en,fr\n"
                           "greeting,Hello {name} and {other}!,Bonjour {name} et {other} !\n"
                           "plain,Good day,Bonjour\n",
};

void
sample_files(struct str files[REFERENCE_FILE_COUNT])
{
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++)
        files[i] = str_from(sample_texts[i]);
}
